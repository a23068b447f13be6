//! Conditions that a caller may set: one column, one comparison, one value each.

use butterfly_core::{BadParams, Fault, Result};
use sea_orm::sea_query::extension::postgres::PgExpr;
use sea_orm::sea_query::{LikeExpr, SimpleExpr};
use sea_orm::{ColumnTrait, Condition, DbBackend, EntityTrait, ExprTrait, Value};

use super::limits::sayable;

/// The most values of an `in`: each is a parameter of the statement, and databases limit those.
pub const MOST_VALUES: usize = 500;
/// The most bytes of a part that is searched for: SQLite refuses patterns above 50,000 bytes.
const MOST_BYTES: usize = 20_000;
/// What takes the meaning out of `%` and `_` in a pattern. A backslash would need another one in MySQL alone.
const ESCAPE: char = '!';

/// How a column is compared with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Equal; `field=value`.
    Eq,
    /// Not equal, and there; `field__ne`.
    Ne,
    /// Greater; `field__gt`.
    Gt,
    /// Greater or equal; `field__gte`.
    Gte,
    /// Less; `field__lt`.
    Lt,
    /// Less or equal; `field__lte`.
    Lte,
    /// The text has this part; `field__contains`. ASCII letters count as equal in upper and lower case, others as the database
    /// has it.
    Contains,
    /// The text begins so; `field__startswith`, letters as for `Contains`.
    StartsWith,
}

/// Conditions of one query, and what is wrong with them.
///
/// # Example
///
/// ```
/// use butterfly_model::sql::prelude::*;
/// use butterfly_model::sql::{Filters, Op};
/// # mod note {
/// #     use butterfly_model::sql::prelude::*;
/// #     #[sea_orm::model]
/// #     #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
/// #     #[sea_orm(table_name = "note")]
/// #     pub struct Model { #[sea_orm(primary_key)] pub id: i64, pub text: String }
/// #     impl ActiveModelBehavior for ActiveModel {}
/// # }
///
/// async fn notes(ctx: &butterfly_core::Ctx, part: Option<String>) -> butterfly_core::Result<Vec<note::Model>> {
///     let db = ctx.db()?;
///     let mut filters = Filters::<note::Entity>::new(db.get_database_backend());
///     filters.compare("text__contains", note::Column::Text, Op::Contains, part);
///     Ok(note::Entity::find().filter(filters.condition()?).all(db).await?)
/// }
/// ```
#[derive(Debug)]
pub struct Filters<E: EntityTrait> {
    backend: DbBackend,
    condition: Condition,
    bad: BadParams,
    /// Parameters with other letters than ASCII.
    letters: Vec<String>,
    entity: std::marker::PhantomData<E>,
}

impl<E: EntityTrait> Filters<E> {
    /// None: everything passes.
    #[must_use]
    pub fn new(backend: DbBackend) -> Self {
        Self {
            backend,
            condition: Condition::all(),
            bad: BadParams::default(),
            letters: Vec::new(),
            entity: std::marker::PhantomData,
        }
    }

    /// Compares a column with a value, if one is given; a problem is told of the parameter's name.
    pub fn compare<V: Into<Value>>(&mut self, name: &str, column: E::Column, op: Op, value: Option<V>) {
        let Some(value) = value.map(Into::into) else { return };
        let checked = sayable(self.backend, &value).and_then(|()| match op {
            Op::Contains | Op::StartsWith => searchable(self.backend, &value),
            _ => Ok(()),
        });
        self.note_letters(name, std::slice::from_ref(&value));
        match checked {
            Ok(()) => self.and(expression(self.backend, column, op, value)),
            Err(problem) => self.bad.push(name, problem),
        }
    }

    /// The column's value is one of a list, if one is given.
    pub fn one_of<V: Into<Value>>(&mut self, name: &str, column: E::Column, values: Option<Vec<V>>) {
        let Some(values) = values else { return };
        if values.len() > MOST_VALUES {
            self.bad.push(name, format!("must have at most {MOST_VALUES} values, has {}", values.len()));
            return;
        }
        let values: Vec<Value> = values.into_iter().map(Into::into).collect();
        self.note_letters(name, &values);
        match values.iter().try_for_each(|value| sayable(self.backend, value)) {
            Ok(()) => self.and(column.is_in(values)),
            Err(problem) => self.bad.push(name, problem),
        }
    }

    fn note_letters(&mut self, name: &str, values: &[Value]) {
        if values.iter().any(|value| matches!(value, Value::String(Some(text)) if !text.is_ascii())) {
            self.letters.push(name.to_owned());
        }
    }

    /// The parameters whose texts not every database has the letters for.
    pub(super) fn letters(&self) -> &[String] {
        &self.letters
    }

    /// The column is null, or is not, if that is asked.
    pub fn null(&mut self, column: E::Column, null: Option<bool>) {
        match null {
            Some(true) => self.and(column.is_null()),
            Some(false) => self.and(column.is_not_null()),
            None => {}
        }
    }

    /// Any other condition, all of which must hold.
    pub fn and(&mut self, more: impl Into<Condition>) {
        let all = std::mem::replace(&mut self.condition, Condition::all());
        self.condition = all.add(more.into());
    }

    /// The conditions as one.
    ///
    /// # Errors
    ///
    /// `ERR_BAD_PARAMS` that names the parameters whose values the database cannot take.
    pub fn condition(self) -> Result<Condition> {
        if self.bad.is_empty() { Ok(self.condition) } else { Err(Fault::BadParams(self.bad).into()) }
    }
}

fn expression<C: ColumnTrait>(backend: DbBackend, column: C, op: Op, value: Value) -> SimpleExpr {
    match op {
        Op::Eq => column.eq(value),
        Op::Ne => column.ne(value),
        Op::Gt => column.gt(value),
        Op::Gte => column.gte(value),
        Op::Lt => column.lt(value),
        Op::Lte => column.lte(value),
        Op::Contains => like(backend, column, &value, "%"),
        Op::StartsWith => like(backend, column, &value, ""),
    }
}

fn like<C: ColumnTrait>(backend: DbBackend, column: C, value: &Value, before: &str) -> SimpleExpr {
    let Value::String(Some(text)) = value else {
        // Only text has parts; what is none is compared as it is.
        return column.eq(value.clone());
    };
    let column = column.into_expr();
    if backend == DbBackend::Postgres {
        // The backslash is what PostgreSQL takes without being told, and after ILIKE it cannot be told.
        column.ilike(LikeExpr::new(format!("{before}{}%", escaped(text, '\\'))))
    } else {
        ExprTrait::like(column, LikeExpr::new(format!("{before}{}%", escaped(text, ESCAPE))).escape(ESCAPE))
    }
}

/// Whether the database can search for a part; else what is wrong.
fn searchable(backend: DbBackend, value: &Value) -> Result<(), String> {
    let Value::String(Some(text)) = value else { return Ok(()) };
    if text.len() > MOST_BYTES {
        return Err(format!("must have at most {MOST_BYTES} bytes, has {}", text.len()));
    }
    // There a pattern ends with it: what comes behind would not count.
    if backend == DbBackend::Sqlite && text.as_str().contains('\0') {
        return Err("must not hold a NUL character".into());
    }
    Ok(())
}

/// The text as a pattern that fits it alone.
fn escaped(text: &str, escape: char) -> String {
    let mut pattern = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '%' | '_') || letter == escape {
            pattern.push(escape);
        }
        pattern.push(letter);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_have_no_meaning_of_the_callers() {
        assert_eq!(escaped("100%_!\\'", '!'), "100!%!_!!\\'");
        assert_eq!(escaped("100%_!\\'", '\\'), "100\\%\\_!\\\\'");
    }
}
