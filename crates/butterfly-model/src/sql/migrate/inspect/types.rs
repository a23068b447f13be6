//! Types of columns as fields of an entity: the one that the same column comes of again.

use super::super::schema::Column;
use super::super::script::tokens;
use super::{camel, module};
use crate::sql::Driver;

/// A field of an entity.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Field {
    pub(super) rust: String,
    pub(super) attributes: Vec<String>,
    pub(super) note: Option<String>,
    /// The enum type that it is of.
    pub(super) of_enum: Option<String>,
}

impl Field {
    fn of(rust: &str) -> Self {
        Self { rust: rust.to_owned(), ..Self::default() }
    }

    /// With its column's type spelled out, as SeaORM would not take it from the field's.
    fn typed(rust: &str, ty: &str) -> Self {
        Self { attributes: vec![format!("column_type = {ty:?}")], ..Self::of(rust) }
    }

    fn custom(rust: &str, ty: &str) -> Self {
        Self::typed(rust, &format!("custom({ty:?})"))
    }

    /// A type that no field is of: it is read and written as text.
    fn as_text(driver: Driver, ty: &str, column_type: &str) -> Self {
        let mut field = Self::typed("String", column_type);
        match driver {
            Driver::Postgres => {
                field.attributes.push(format!("select_as = \"text\", save_as = {ty:?}"));
            }
            Driver::MySql => {
                let save = if ty.starts_with("decimal") { ty } else { "char" };
                field.attributes.push(format!("select_as = \"char\", save_as = {save:?}"));
            }
            Driver::Sqlite => {}
        }
        field.note = Some(format!("{ty} is a text in the program"));
        field
    }
}

pub(super) fn field<'a>(driver: Driver, column: &Column, enums: impl Iterator<Item = &'a String>) -> Field {
    let ty = column.ty.as_str();
    let lower = ty.to_ascii_lowercase();
    let (name, args) = match lower.split_once('(') {
        Some((name, rest)) => {
            let (args, behind) = rest.split_once(')').unwrap_or((rest, ""));
            (format!("{name}{behind}"), args.split(',').filter_map(|arg| arg.trim().parse().ok()).collect())
        }
        None => (lower.clone(), Vec::<u32>::new()),
    };
    let shared = match (name.trim(), args.as_slice()) {
        ("smallint", _) => Some(Field::of("i16")),
        ("boolean", _) => Some(Field::of("bool")),
        ("date" | "date_text", _) => Some(Field::of("TimeDate")),
        ("time" | "time_text" | "time without time zone", _) => Some(Field::of("TimeTime")),
        ("text", _) => Some(Field::typed("String", "Text")),
        ("varchar" | "character varying", [length]) if driver != Driver::MySql || *length != 255 => {
            Some(Field::typed("String", &format!("String(StringLen::N({length}))")))
        }
        ("varchar" | "character varying", _) => Some(Field::of("String")),
        ("char" | "character", [length]) => Some(Field::typed("String", &format!("Char(Some({length}))"))),
        ("json" | "json_text", _) => Some(Field::of("Json")),
        ("jsonb" | "jsonb_text", _) => Some(Field::typed("Json", "JsonBinary")),
        ("uuid" | "uuid_text", _) => Some(Field::of("Uuid")),
        _ => None,
    };
    shared.unwrap_or_else(|| match driver {
        Driver::Sqlite => sqlite(ty, &name, &args),
        Driver::MySql => mysql(ty, &name, &args),
        Driver::Postgres => postgres(ty, &name, &args, enums),
    })
}

fn sqlite(ty: &str, name: &str, args: &[u32]) -> Field {
    match (name.trim(), args) {
        ("integer", _) => Field::of("i64"),
        ("tinyint", _) => Field::of("i8"),
        ("float", _) => Field::of("f32"),
        ("double", _) => Field::of("f64"),
        ("real", [digits, scale]) => Field::typed("f64", &format!("Decimal(Some(({digits}, {scale})))")),
        ("real_decimal", _) => Field::typed("f64", "Decimal(None)"),
        ("datetime_text", _) => Field::of("TimeDateTime"),
        ("timestamp_text", _) => Field::typed("TimeDateTime", "Timestamp"),
        ("timestamp_with_timezone_text", _) => Field::of("TimeDateTimeWithTimeZone"),
        ("blob", []) => Field::typed("Vec<u8>", "Blob"),
        ("blob", [length]) => Field::typed("Vec<u8>", &format!("Binary({length})")),
        ("varbinary_blob", []) => Field::typed("Vec<u8>", "VarBinary(StringLen::None)"),
        // SQLite's own rules (datatype3.html, 3.1).
        (other, _) if other.contains("int") => Field::custom("i64", ty),
        (other, _) if ["char", "clob", "text"].iter().any(|part| other.contains(part)) => {
            Field::custom("String", ty)
        }
        (other, _) if other.contains("blob") || other.is_empty() => Field::custom("Vec<u8>", ty),
        _ => Field::custom("f64", ty),
    }
}

fn mysql(ty: &str, name: &str, args: &[u32]) -> Field {
    let unsigned = name.contains("unsigned");
    match (name.trim_end_matches(" unsigned").trim(), args) {
        ("tinyint", [1]) if !unsigned => Field::of("bool"),
        ("tinyint", _) => Field::of(if unsigned { "u8" } else { "i8" }),
        ("smallint", _) if unsigned => Field::of("u16"),
        ("int", _) => Field::of(if unsigned { "u32" } else { "i32" }),
        ("bigint", _) => Field::of(if unsigned { "u64" } else { "i64" }),
        ("float", _) => Field::of("f32"),
        ("double", _) => Field::of("f64"),
        ("decimal", [digits, scale]) => {
            Field::as_text(Driver::MySql, ty, &format!("Decimal(Some(({digits}, {scale})))"))
        }
        ("datetime", []) => Field::of("TimeDateTime"),
        ("timestamp", []) => Field::of("TimeDateTimeWithTimeZone"),
        ("binary", [16]) => Field::of("Uuid"),
        ("binary", [length]) => Field::typed("Vec<u8>", &format!("Binary({length})")),
        ("varbinary", [length]) => Field::typed("Vec<u8>", &format!("VarBinary(StringLen::N({length}))")),
        ("blob", _) => Field::typed("Vec<u8>", "Blob"),
        ("tinyblob" | "mediumblob" | "longblob", _) => Field::custom("Vec<u8>", ty),
        ("tinytext" | "mediumtext" | "longtext", _) => Field::custom("String", ty),
        ("enum" | "set", _) => Field::custom("String", ty),
        _ => Field::as_text(Driver::MySql, ty, &format!("custom({ty:?})")),
    }
}

fn postgres<'a>(ty: &str, name: &str, args: &[u32], mut enums: impl Iterator<Item = &'a String>) -> Field {
    match (name, args) {
        ("integer", _) => Field::of("i32"),
        ("bigint", _) => Field::of("i64"),
        ("real", _) => Field::of("f32"),
        ("double precision", _) => Field::of("f64"),
        ("timestamp without time zone", []) => Field::of("TimeDateTime"),
        ("timestamp with time zone", []) => Field::of("TimeDateTimeWithTimeZone"),
        ("bytea", _) => Field::typed("Vec<u8>", "Blob"),
        ("numeric", [digits, scale]) => {
            Field::as_text(Driver::Postgres, ty, &format!("Decimal(Some(({digits}, {scale})))"))
        }
        ("numeric", []) => Field::as_text(Driver::Postgres, ty, "Decimal(None)"),
        _ => match enums.find(|name| **name == ty.trim_matches('"')) {
            Some(name) => Field { of_enum: Some(name.clone()), ..Field::of(&camel(&module(name))) },
            None => Field::as_text(Driver::Postgres, ty, &format!("custom({ty:?})")),
        },
    }
}

/// The attribute of a default: a value where it is one, else the expression.
pub(super) fn default(driver: Driver, rust: &str, expression: &str) -> String {
    let expr = || match expression.to_ascii_uppercase().as_str() {
        "CURRENT_TIMESTAMP" | "CURRENT_TIMESTAMP()" => {
            "default_expr = \"Expr::current_timestamp()\"".to_owned()
        }
        _ => format!("default_expr = {:?}", format!("Expr::cust({expression:?})")),
    };
    let tokens = tokens(driver, expression).unwrap_or_default();
    let Some(first) = tokens.first() else { return expr() };
    // PostgreSQL says of which type a text is.
    let alone = tokens.len() == 1 || (tokens.len() > 2 && tokens[1].is(":") && tokens[2].is(":"));
    if alone && first.text.starts_with('\'') {
        let mut text = first.text[1..first.text.len() - 1].replace("''", "'");
        if driver == Driver::MySql {
            text = text.replace("\\\\", "\\");
        }
        if rust == "String"
            || !matches!(rust, "Json" | "Uuid")
                && rust.chars().all(char::is_alphanumeric)
                && !number(rust)
                && rust != "bool"
        {
            return format!("default_value = {text:?}");
        }
    }
    let value = expression.trim();
    match rust {
        "bool" if ["true", "1"].iter().any(|word| value.eq_ignore_ascii_case(word)) => {
            "default_value = true".to_owned()
        }
        "bool" if ["false", "0"].iter().any(|word| value.eq_ignore_ascii_case(word)) => {
            "default_value = false".to_owned()
        }
        _ if number(rust) && !rust.starts_with('f') && value.parse::<u64>().is_ok() => {
            format!("default_value = {value}")
        }
        _ => expr(),
    }
}

fn number(rust: &str) -> bool {
    matches!(rust, "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" | "f32" | "f64")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_values_where_they_can_be() {
        use Driver::{MySql, Postgres, Sqlite};
        for (driver, rust, expression, expected) in [
            (Postgres, "String", "'it''s'::character varying", "default_value = \"it's\""),
            (MySql, "String", "'a\\\\b'", "default_value = \"a\\\\b\""),
            (Sqlite, "bool", "FALSE", "default_value = false"),
            (MySql, "bool", "1", "default_value = true"),
            (Sqlite, "i64", "7", "default_value = 7"),
            (
                Postgres,
                "TimeDateTimeWithTimeZone",
                "CURRENT_TIMESTAMP",
                "default_expr = \"Expr::current_timestamp()\"",
            ),
            (Postgres, "TimeDateTimeWithTimeZone", "now()", "default_expr = \"Expr::cust(\\\"now()\\\")\""),
            (Postgres, "i32", "'-1'::integer", "default_expr = \"Expr::cust(\\\"'-1'::integer\\\")\""),
        ] {
            assert_eq!(default(driver, rust, expression), expected);
        }
    }
}
