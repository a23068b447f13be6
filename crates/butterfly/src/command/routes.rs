//! `routes`: what the program serves.

use std::process::ExitCode;

use butterfly_core::handler::Param;
use butterfly_core::{Handler, openapi};

use crate::Butterfly;
use crate::say::say;

pub(super) fn show(program: &Butterfly, json: bool) -> ExitCode {
    let registry = match program.registry() {
        Ok(registry) => registry,
        Err(unfit) => {
            eprintln!("error: {unfit}");
            return ExitCode::FAILURE;
        }
    };
    if json {
        let all: Vec<_> = registry.handlers().iter().map(|handler| openapi::describe(handler)).collect();
        say!("{:#}", serde_json::Value::from(all));
    } else {
        say!("{}", table(registry.handlers()).trim_end());
    }
    ExitCode::SUCCESS
}

/// The most characters of a doc comment that are shown.
const DOC: usize = 60;

/// One line a handler: path, kind, parameters, first line of its doc, place.
pub(super) fn table(handlers: &[&'static Handler]) -> String {
    let rows: Vec<[String; 5]> = handlers.iter().map(|handler| row(handler)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2).min(60), width(3)];
    let mut out = String::new();
    for [path, kind, params, doc, place] in &rows {
        let [a, b, c, d] = widths;
        out.push_str(&format!("{path:a$}  {kind:b$}  {params:c$}  {doc:d$}  {place}\n"));
    }
    out
}

fn row(handler: &Handler) -> [String; 5] {
    let params: Vec<String> = handler.visible().map(param).collect();
    let place = format!("{}:{}", handler.source.short(), handler.source.line);
    let kind = [&[handler.kind.word()], handler.options.methods].concat().join(" ");
    let mut doc = handler.summary().to_owned();
    if let Some((cut, _)) = doc.char_indices().nth(DOC) {
        doc.truncate(cut);
        doc.push('…');
    }
    [handler.path.into(), kind, params.join(" "), doc, place]
}

/// `name`, or `[name=default]` when it may be left out.
pub(super) fn param(param: &'static Param) -> String {
    match param.default.and_then(|default| default()) {
        Some(default) => format!("[{}={default}]", param.name),
        None if param.required => param.name.to_owned(),
        None => format!("[{}]", param.name),
    }
}
