//! Whether values of one type all fit another.

/// What the values of a type are like.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape {
    /// Bytes of a whole number, and whether it has a sign.
    Integer(u32, bool),
    /// Digits in all, and behind the point.
    Decimal(u32, u32),
    /// Bits of a fraction that can be told apart.
    Float(u32),
    /// Characters at most.
    Text(u32),
    Bool,
    Json,
    /// Seconds to how many digits; whether it knows its zone.
    Time(bool),
}

/// Whether a column that changes from one type to another may lose what it holds. Types that are not known to be wider
/// are taken for narrower.
pub(super) fn narrows(from: &str, to: &str) -> bool {
    if from.eq_ignore_ascii_case(to) {
        return false;
    }
    let (Some(from), Some(to)) = (shape(from), shape(to)) else { return true };
    use Shape::{Bool, Decimal, Float, Integer, Json, Text, Time};
    match (from, to) {
        (Integer(bytes, signed), Integer(others, other_signed)) => {
            if signed == other_signed {
                others < bytes
            } else {
                signed || others <= bytes
            }
        }
        (Integer(bytes, _), Decimal(digits, scale)) => digits.saturating_sub(scale) < decimal_digits(bytes),
        (Integer(bytes, _), Float(bits)) => bytes * 8 > bits,
        (Decimal(digits, scale), Decimal(others, other_scale)) => {
            other_scale < scale || others.saturating_sub(other_scale) < digits.saturating_sub(scale)
        }
        (Float(bits), Float(others)) => others < bits,
        (Text(length), Text(others)) => others < length,
        (Bool, Integer(..)) => false,
        (Integer(..) | Decimal(..) | Bool | Json, Text(length)) => length < UNLIMITED,
        (Time(zone), Time(other)) => zone && !other,
        _ => true,
    }
}

const UNLIMITED: u32 = u32::MAX;

fn decimal_digits(bytes: u32) -> u32 {
    match bytes {
        1 => 3,
        2 => 5,
        3 => 8,
        4 => 10,
        _ => 20,
    }
}

fn shape(ty: &str) -> Option<Shape> {
    let ty = ty.to_ascii_lowercase();
    let (name, numbers) = match (ty.find('('), ty.find(')')) {
        (Some(open), Some(close)) if open < close => {
            let numbers = ty[open + 1..close].split(',').filter_map(|number| number.trim().parse().ok());
            (format!("{}{}", &ty[..open], &ty[close + 1..]), numbers.collect::<Vec<u32>>())
        }
        _ => (ty.clone(), Vec::new()),
    };
    let signed = !name.contains("unsigned");
    let first = numbers.first().copied();
    Some(match name.trim_end_matches(" unsigned").trim() {
        "tinyint" if first == Some(1) && signed => Shape::Bool,
        "boolean" | "bool" => Shape::Bool,
        "tinyint" => Shape::Integer(1, signed),
        "smallint" => Shape::Integer(2, signed),
        "mediumint" => Shape::Integer(3, signed),
        "int" => Shape::Integer(4, signed),
        // SQLite's integers have eight bytes; PostgreSQL's four, and wider ones are called otherwise.
        "integer" => Shape::Integer(4, signed),
        "bigint" => Shape::Integer(8, signed),
        "decimal" | "numeric" | "real_decimal" => match (first, numbers.get(1)) {
            (Some(digits), scale) => Shape::Decimal(digits, scale.copied().unwrap_or(0)),
            (None, _) if name == "decimal" => Shape::Decimal(10, 0),
            (None, _) => Shape::Decimal(UNLIMITED, UNLIMITED / 2),
        },
        "real" if numbers.len() == 2 => Shape::Decimal(numbers[0], numbers[1]),
        "real" | "float" => Shape::Float(24),
        "double" | "double precision" => Shape::Float(53),
        "character varying" | "varchar" => Shape::Text(first.unwrap_or(UNLIMITED)),
        "tinytext" => Shape::Text(255),
        "text" => Shape::Text(UNLIMITED - 1),
        "mediumtext" | "longtext" => Shape::Text(UNLIMITED),
        "json" | "jsonb" | "json_text" | "jsonb_text" => Shape::Json,
        "timestamp" | "timestamp without time zone" | "timestamp_text" | "datetime_text" => {
            Shape::Time(false)
        }
        "timestamp with time zone" | "timestamp_with_timezone_text" => Shape::Time(true),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::narrows;

    #[test]
    fn what_fits_loses_nothing() {
        for (from, to) in [
            ("integer", "bigint"),
            ("int(11)", "bigint(20)"),
            ("int(10) unsigned", "bigint(20)"),
            ("varchar(20)", "varchar(200)"),
            ("character varying(20)", "text"),
            ("real", "double precision"),
            ("numeric(10,2)", "numeric(12,2)"),
            ("smallint", "numeric(7,2)"),
            ("tinyint(1)", "int(11)"),
            ("text", "longtext"),
        ] {
            assert!(!narrows(from, to), "{from} -> {to}");
        }
    }

    #[test]
    fn what_may_not_fit_is_told() {
        for (from, to) in [
            ("bigint", "integer"),
            ("int(11)", "int(10) unsigned"),
            ("bigint(20) unsigned", "bigint(20)"),
            ("varchar(200)", "varchar(20)"),
            ("text", "character varying(200)"),
            ("double precision", "real"),
            ("numeric(10,2)", "numeric(10,4)"),
            ("numeric(10,4)", "numeric(12,2)"),
            ("bigint", "double precision"),
            ("timestamp with time zone", "date"),
            ("text", "integer"),
            ("uuid", "no such type"),
        ] {
            assert!(narrows(from, to), "{from} -> {to}");
        }
    }
}
