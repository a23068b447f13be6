//! The bounds of `range(..)` and `len(..)`: mistakes that their text shows.

use syn::{Expr, ExprLit, ExprRange, ExprUnary, Lit, RangeLimits, Type, UnOp};

use super::compact::compact;
use super::types;

/// What a parameter's type is to a check, as far as its name says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Unsigned,
    Signed,
    Float,
    Text,
    List,
    Unknown,
}

fn class(name: &str) -> Class {
    match name {
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => Class::Unsigned,
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => Class::Signed,
        "f32" | "f64" => Class::Float,
        "String" => Class::Text,
        "Vec" => Class::List,
        _ => Class::Unknown,
    }
}

fn class_of(ty: &Type) -> (String, Class) {
    let name = types::last_segment(types::inside_option(ty)).unwrap_or_default();
    let class = class(&name);
    (name, class)
}

/// Checks a `range(..)` of numbers against the parameter's type.
pub(crate) fn check_range(range: &ExprRange, ty: &Type) -> Result<(), String> {
    let (name, class) = class_of(ty);
    let bounds = || [&range.start, &range.end].into_iter().flatten();
    if matches!(class, Class::Text | Class::List) {
        return Err(format!("`range` serves for numbers; for the length of a `{name}` write len(1..=20)"));
    }
    if bounds().any(|bound| is_no_number(bound)) {
        return Err("the bounds of a range are numbers, such as 1..=100".into());
    }
    if class == Class::Unsigned && bounds().any(|bound| number(bound).is_some_and(|value| value < 0.0)) {
        return Err(format!("`{name}` is never negative: write a bound from 0 up"));
    }
    if matches!(class, Class::Unsigned | Class::Signed) && bounds().any(|bound| is_float(bound)) {
        return Err(format!("`{name}` has no fractions: write whole bounds, such as 1..=100"));
    }
    if class == Class::Float && bounds().any(|bound| number(bound).is_some() && !is_float(bound)) {
        return Err(format!("`{name}` needs bounds with a fraction, such as 1.0..=100.0"));
    }
    holds_something(range, f64::NEG_INFINITY)
}

/// Checks a `len(..)` of lengths against the parameter's type.
pub(crate) fn check_len(range: &ExprRange, ty: &Type) -> Result<(), String> {
    let (name, class) = class_of(ty);
    if matches!(class, Class::Unsigned | Class::Signed | Class::Float) {
        return Err(format!("`{name}` has no length: for its value write range(1..=100)"));
    }
    if [&range.start, &range.end].into_iter().flatten().any(|bound| !is_length(bound)) {
        return Err("a length is a whole number from 0 up, such as len(1..=20)".into());
    }
    holds_something(range, 0.0)
}

/// Checks that a `regex(..)` is for text.
pub(crate) fn check_text(ty: &Type) -> Result<(), String> {
    let (name, class) = class_of(ty);
    match class {
        Class::Text | Class::Unknown => Ok(()),
        _ => Err(format!("`regex` serves for text, not for a `{name}`")),
    }
}

/// Refuses ranges that everything or nothing passes.
fn holds_something(range: &ExprRange, lowest: f64) -> Result<(), String> {
    if range.start.is_none() && range.end.is_none() {
        return Err("`..` lets everything pass: give it a bound, such as 1..".into());
    }
    let low = range.start.as_ref().map_or(Some(lowest), |bound| number(bound));
    let high = range.end.as_ref().map_or(Some(f64::INFINITY), |bound| number(bound));
    let (Some(low), Some(high)) = (low, high) else { return Ok(()) };
    if low > high || (low == high && is_open(range)) {
        return Err(format!("no value lies in {}: write the smaller bound first", compact(range)));
    }
    Ok(())
}

/// True when the upper bound itself is out.
pub(crate) fn is_open(range: &ExprRange) -> bool {
    range.end.is_some() && matches!(range.limits, RangeLimits::HalfOpen(_))
}

/// The value of a bound that is a plain number.
pub(crate) fn number(bound: &Expr) -> Option<f64> {
    match bound {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_digits().parse().ok(),
        Expr::Lit(ExprLit { lit: Lit::Float(number), .. }) => number.base10_digits().parse().ok(),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => number(expr).map(|value| -value),
        _ => None,
    }
}

fn is_no_number(bound: &Expr) -> bool {
    matches!(bound, Expr::Lit(ExprLit { lit, .. }) if !matches!(lit, Lit::Int(_) | Lit::Float(_)))
}

fn is_float(bound: &Expr) -> bool {
    match bound {
        Expr::Lit(ExprLit { lit: Lit::Float(_), .. }) => true,
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => class(number.suffix()) == Class::Float,
        Expr::Unary(ExprUnary { expr, .. }) => is_float(expr),
        _ => false,
    }
}

/// False for what is plainly no length; a constant or a call may be one.
fn is_length(bound: &Expr) -> bool {
    !matches!(bound, Expr::Unary(_)) && !is_float(bound) && !is_no_number(bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(bounds: &str, ty: &str) -> String {
        answer(check_range(&syn::parse_str(bounds).unwrap(), &syn::parse_str(ty).unwrap()))
    }

    fn len(bounds: &str, ty: &str) -> String {
        answer(check_len(&syn::parse_str(bounds).unwrap(), &syn::parse_str(ty).unwrap()))
    }

    fn answer(result: Result<(), String>) -> String {
        result.err().unwrap_or_default()
    }

    #[test]
    fn ranges_that_hold_something_pass() {
        for (bounds, ty) in [
            ("1..=100", "u32"),
            ("-5..", "i64"),
            ("..=-1", "Option<i8>"),
            ("0.5..1.5", "f64"),
            ("1f64..", "f64"),
            ("1..1.max(2)", "u8"),
            ("LOW..=HIGH", "u8"),
            ("0..=0", "u8"),
            ("1..", "Own"),
        ] {
            assert_eq!(range(bounds, ty), "", "{bounds} {ty}");
        }
        for (bounds, ty) in [("1..=20", "String"), ("..5", "Vec<u8>"), ("..=MAX", "Option<String>")] {
            assert_eq!(len(bounds, ty), "", "{bounds} {ty}");
        }
    }

    #[test]
    fn ranges_that_hold_nothing_or_everything_are_refused() {
        for bounds in ["2..=1", "1..1", "0..-5", "1_000..=10"] {
            assert!(range(bounds, "i32").contains("no value lies in"), "{bounds}");
        }
        assert!(range("..", "u32").contains("lets everything pass"));
        assert!(len("..0", "String").contains("no value lies in"));
    }

    #[test]
    fn bounds_fit_the_type() {
        assert!(range("-1..5", "u32").contains("never negative"));
        assert!(range("1.0..", "Option<i32>").contains("no fractions"));
        assert!(range("1..5", "f64").contains("with a fraction"));
        assert!(range("1..5", "String").contains("len(1..=20)"));
        assert!(range("'a'..'z'", "Own").contains("are numbers"));
        assert!(len("1..5", "u8").contains("range(1..=100)"));
        assert!(len("-1..5", "String").contains("whole number"));
        assert!(len("1.0..", "String").contains("whole number"));
    }
}
