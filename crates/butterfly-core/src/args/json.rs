//! JSON bodies: each entry goes, unparsed, to the parameter of its name; the parameter's type parses it.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Hands each entry of a JSON object to `each`, values still as text.
///
/// # Errors
///
/// What is wrong with the document: it is not JSON, or not an object.
pub(crate) fn entries<'a>(
    document: &'a [u8],
    each: &mut dyn FnMut(Cow<'a, str>, &'a RawValue),
) -> Result<(), String> {
    let text = std::str::from_utf8(document).map_err(|_| "the body is not valid UTF-8".to_owned())?;
    let mut json = serde_json::Deserializer::from_str(text);
    json.deserialize_map(Entries { each }).and_then(|()| json.end()).map_err(|error| {
        let kind = if error.is_data() { "the body must be a JSON object" } else { "the body is not JSON" };
        format!("{kind}: {error}")
    })
}

struct Entries<'a, 'f> {
    each: &'f mut dyn FnMut(Cow<'a, str>, &'a RawValue),
}

impl<'de> Visitor<'de> for Entries<'de, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Name(name)) = map.next_key()? {
            (self.each)(name, map.next_value()?);
        }
        Ok(())
    }
}

/// A key, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// Parses a value; an error names the place inside it.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).or_else(|_| {
        let mut json = serde_json::Deserializer::from_str(text);
        let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let place = error.path().to_string();
            let problem = problem(error.inner());
            if place == "." { problem } else { format!("at {place}: {problem}") }
        })?;
        json.end().map_err(|error| problem(&error))?;
        Ok(value)
    })
}

/// The text of a JSON error without its line and column, which count inside one value.
pub(crate) fn problem(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(document: &str) -> Result<Vec<String>, String> {
        let mut names = Vec::new();
        entries(document.as_bytes(), &mut |name, value| names.push(format!("{name}={value}")))?;
        Ok(names)
    }

    #[test]
    fn entries_keep_their_text() {
        assert_eq!(names(r#"{"a": 1, "b\u0041": [1, {}]}"#).unwrap(), ["a=1", "bA=[1, {}]"]);
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for bad in ["", "[1]", "null", "{", "{}x", "{\"a\":}", "nonsense"] {
            assert!(names(bad).is_err(), "{bad}");
        }
        assert!(entries(b"{\"\xff\":1}", &mut |_, _| ()).is_err());
    }

    #[test]
    fn an_error_names_its_place() {
        let problem = parse::<std::collections::BTreeMap<String, Vec<u8>>>(r#"{"a":[1,"x"]}"#).unwrap_err();
        assert_eq!(problem, "at a[1]: invalid type: string \"x\", expected u8");
    }

    #[test]
    fn what_follows_a_value_is_refused() {
        assert_eq!(parse::<Vec<u8>>("[]x").unwrap_err(), "trailing characters");
    }

    #[test]
    fn deep_nesting_ends_in_an_error_not_in_the_stack() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
        if let Ok(found) = names(&deep) {
            assert_eq!(found.len(), 1);
        }
        assert!(parse::<serde_json::Value>(&"[".repeat(100_000)).is_err());
    }
}
