//! Migrations and differences, for people and for programs.

use butterfly_model::sql::migrate::{MigrationState, Standing, Status, Step};
use serde_json::{Value, json};

use crate::command::shown::{harmless, span};
use crate::command::table::table;

/// What steps do, what they lose, and what may stand in their way.
pub(super) fn steps(steps: &[Step]) -> String {
    let mut out = String::new();
    for step in steps {
        out.push_str(&format!("  {}\n", harmless(&step.says)));
        if let Some(loses) = &step.loses {
            out.push_str(&format!("    LOSES {}\n", harmless(loses)));
        }
        if let Some(note) = &step.note {
            out.push_str(&format!("    note: {}\n", harmless(note)));
        }
    }
    out
}

pub(super) fn status(status: &Status) -> String {
    let mut out = String::new();
    let rows: Vec<Vec<String>> = status.migrations.iter().map(row).collect();
    if rows.is_empty() {
        out.push_str("no migrations\n");
    } else {
        out.push_str(&table(&["MIGRATION", "STATE", "APPLIED", "TOOK"], &[3], &rows));
    }
    for one in status.migrations.iter().filter(|one| !one.error.is_empty()) {
        out.push_str(&format!("\n{}: {}\n", one.name, harmless(&one.error)));
    }
    if status.drift.is_empty() {
        out.push_str("\nthe database is what the entities ask for\n");
    } else {
        out.push_str("\nbetween the database and the entities:\n");
        out.push_str(&steps(&status.drift));
    }
    if !status.alone.is_empty() {
        out.push_str(&format!("\nleft alone, of no entity: {}\n", harmless(&status.alone.join(", "))));
    }
    out
}

fn row(one: &Standing) -> Vec<String> {
    let applied = !one.applied_at.is_empty();
    let took = u64::try_from(one.took_ms).ok().filter(|_| applied).map_or("-".into(), span);
    let at = if applied { one.applied_at.clone() } else { "-".into() };
    vec![one.name.clone(), word(one), at, took]
}

fn word(one: &Standing) -> String {
    match one.state {
        MigrationState::Applied => "applied".into(),
        MigrationState::Changed => "changed since it was applied".into(),
        MigrationState::Missing => "applied, its file is missing".into(),
        MigrationState::Stopped { done, of, back: false } => {
            format!("stopped after {done} of {of} statements")
        }
        MigrationState::Stopped { done, of, .. } => {
            format!("stopped after {done} of {of} statements of being taken back")
        }
        _ if one.loses.is_empty() => "pending".into(),
        _ => "pending, loses data".into(),
    }
}

pub(super) fn document(status: &Status) -> Value {
    let migrations = status.migrations.iter().map(|one| {
        let state = match one.state {
            MigrationState::Applied => "applied",
            MigrationState::Changed => "changed",
            MigrationState::Missing => "missing",
            MigrationState::Stopped { .. } => "stopped",
            _ => "pending",
        };
        json!({
            "name": one.name,
            "state": state,
            "applied_at": (!one.applied_at.is_empty()).then_some(&one.applied_at),
            "took_ms": one.took_ms,
            "loses": one.loses,
            "error": one.error,
        })
    });
    let drift =
        status.drift.iter().map(|step| json!({ "says": step.says, "loses": step.loses, "note": step.note }));
    json!({
        "in_order": status.in_order(),
        "migrations": migrations.collect::<Vec<_>>(),
        "drift": drift.collect::<Vec<_>>(),
        "left_alone": status.alone,
    })
}
