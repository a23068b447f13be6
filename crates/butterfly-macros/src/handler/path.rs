//! `path = "/users/{id}"`: its form, and that it and the parameters fit each other.

use syn::LitStr;

use super::params::{Param, Source};
use crate::errors::Errors;

/// The names of the `{name}` segments of a path.
pub(crate) fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(name)
}

fn name(segment: &str) -> Option<&str> {
    let inside = segment.strip_prefix('{')?.strip_suffix('}')?;
    Some(inside.strip_prefix('*').unwrap_or(inside))
}

pub(crate) fn check(path: &LitStr, params: &[Param], errors: &mut Errors) {
    let value = path.value();
    for problem in problems(&value) {
        errors.push(path, problem);
    }
    for name in segments(&value).filter(|name| is_name(name)) {
        let remedy = match params.iter().find(|param| param.name == name).map(|param| param.source) {
            Some(Source::Path) => continue,
            Some(_) => format!("but `{name}` takes something else: rename one of them"),
            None => format!("but no parameter: add one to the function, such as `{name}: String`"),
        };
        errors.push(path, format!("the path has a segment `{{{name}}}`, {remedy}"));
    }
    for param in params.iter().filter(|param| param.source == Source::Path) {
        if let Some(default) = &param.default {
            errors.push(
                default,
                format!("`{}` is in the path, so it is always given: remove #[default]", param.name),
            );
        }
    }
}

/// What is wrong with the form of a path.
fn problems(path: &str) -> Vec<String> {
    let Some(rest) = path.strip_prefix('/') else {
        return vec![format!("a path begins with `/`: \"/{path}\"")];
    };
    if rest.is_empty() {
        return Vec::new();
    }
    let parts: Vec<&str> = rest.split('/').collect();
    let mut problems: Vec<String> =
        parts.iter().enumerate().filter_map(|(at, part)| problem(part, at + 1 == parts.len())).collect();
    let mut names: Vec<&str> = segments(path).collect();
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        problems.push(format!("the path has `{{{}}}` twice: name each segment differently", twice[0]));
    }
    problems
}

fn problem(segment: &str, is_last: bool) -> Option<String> {
    if segment.is_empty() {
        return Some("a path has no empty segment: remove the `/` too many".into());
    }
    if let Some(name) = name(segment) {
        if segment.starts_with("{*") && !is_last {
            return Some(format!("`{segment}` takes all that follows: it can only stand at the end"));
        }
        return (!is_name(name)).then(|| format!("`{segment}` must hold the name of a parameter: `{{id}}`"));
    }
    if segment.contains(['{', '}', '*']) {
        return Some(format!("`{segment}`: a parameter fills its segment, as in \"/users/{{id}}/photo\""));
    }
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._~".contains(&b);
    (!segment.bytes().all(plain)).then(|| {
        format!("`{segment}`: a path is made of a-z, 0-9, `-`, `.`, `_`, `~`, and {{name}} segments")
    })
}

fn is_name(text: &str) -> bool {
    syn::parse_str::<syn::Ident>(text).is_ok() || syn::parse_str::<syn::Ident>(&format!("r#{text}")).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_paths_have_no_problem() {
        for path in ["/", "/a", "/a/b-c.d_e~f", "/users/{id}", "/{app}/{type}/x", "/files/{*rest}"] {
            assert_eq!(problems(path), [""; 0], "{path}");
        }
    }

    #[test]
    fn each_problem_of_a_path_is_named() {
        for (path, word) in [
            ("", "begins with"),
            ("users", "begins with"),
            ("/users/", "empty segment"),
            ("/a//b", "empty segment"),
            ("/Users", "a-z"),
            ("/a b", "a-z"),
            ("/ü", "a-z"),
            ("/{}", "name of a parameter"),
            ("/{a b}", "name of a parameter"),
            ("/{id", "fills its segment"),
            ("/user-{id}", "fills its segment"),
            ("/{*rest}/x", "at the end"),
            ("/{a}/{a}", "twice"),
        ] {
            let found = problems(path);
            assert!(found.len() == 1 && found[0].contains(word), "{path}: {found:?}");
        }
    }

    #[test]
    fn names_of_segments_come_without_their_marks() {
        assert_eq!(segments("/a/{b}/{*c}").collect::<Vec<_>>(), ["b", "c"]);
    }
}
