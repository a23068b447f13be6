//! The environment layers: what platforms set for everyone, then Butterfly's own variables.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::error::{Origin, Problem, ProblemKind};
use super::keys::{self, Config, Found};
use super::merge::Assignment;
use super::setting::Input;

/// Names the configuration file.
pub(super) const CONFIG_FILE: &str = "BUTTERFLY_CONFIG";

const PREFIX: &str = "BUTTERFLY_";

/// Far beyond any token or key, and an end to what never ends, such as `/dev/zero`.
const LARGEST_SECRET: u64 = 64 * 1024;

/// By name; of a name given twice the last counts.
pub(super) type Vars = BTreeMap<String, String>;

/// The variable that sets a key.
pub(super) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_ascii_uppercase())
}

/// Variables that are not Butterfly's own, and the key each speaks of.
const AMBIENT: [(&str, &str); 3] =
    [("PORT", "http.listen"), ("RUST_LOG", "log.level"), ("NO_COLOR", "log.color")];

/// What platforms set for every program. They did not mean this one alone, so a variable that a higher layer overrides
/// is not even looked at.
pub(super) fn ambient(
    vars: &Vars,
    config: &Config,
    is_overridden: impl Fn(&str) -> bool,
    problems: &mut Vec<Problem>,
) -> Vec<Assignment> {
    let mut found = Vec::new();
    for (var, key) in AMBIENT {
        let Some(value) = vars.get(var).filter(|value| !value.is_empty() && !is_overridden(key)) else {
            continue;
        };
        match ambient_value(var, value, config) {
            Ok(text) => found.push(Assignment::new(key, Input::Text(text), Origin::Env(var.to_owned()))),
            Err(problem) => problems.push(problem),
        }
    }
    found
}

/// Only the port comes from `PORT`: who may reach the service is not the platform's to say.
fn ambient_value(var: &str, value: &str, config: &Config) -> Result<String, Problem> {
    match var {
        "PORT" => match value.trim().parse() {
            Ok(port) => Ok(SocketAddr::new(config.http.listen.ip(), port).to_string()),
            Err(_) => Err(bad_port(value)),
        },
        "NO_COLOR" => Ok("false".to_owned()),
        _ => Ok(value.to_owned()),
    }
}

fn bad_port(port: &str) -> Problem {
    let value = super::report::excerpt(&Input::Text(port.to_owned()));
    let message = format!("the port of `http.listen` cannot be {value}; expected 0 to 65535");
    Problem::new(ProblemKind::BadValue, Origin::Env("PORT".to_owned()), message).of_key("http.listen")
}

/// What the `BUTTERFLY_…` variables say.
pub(super) fn assignments(vars: &Vars, problems: &mut Vec<Problem>) -> Vec<Assignment> {
    let mut found = BTreeMap::new();
    for (var, value) in vars {
        let Some(name) = var.strip_prefix(PREFIX) else { continue };
        if var == CONFIG_FILE || is_service_link(name, value) {
            continue;
        }
        match assignment(var, name, value) {
            Ok(assignment) => add(&mut found, assignment, problems),
            Err(problem) => problems.push(problem),
        }
    }
    found.into_values().collect()
}

/// A value and a file for the same key: which of them was meant cannot be told.
fn add(found: &mut BTreeMap<Vec<String>, Assignment>, new: Assignment, problems: &mut Vec<Problem>) {
    match found.get(&new.path) {
        None => {
            found.insert(new.path.clone(), new);
        }
        Some(old) => {
            let key = super::report::dotted(&new.path);
            let message = format!("`{key}` is set already by {}", old.origin);
            problems.push(Problem::new(ProblemKind::Conflict, new.origin, message).of_key(key));
        }
    }
}

fn assignment(var: &str, name: &str, value: &str) -> Result<Assignment, Problem> {
    let key = name.to_ascii_lowercase().replace("__", ".");
    let Some(key) = file_key(&key) else {
        return Ok(Assignment::new(&key, Input::Text(value.to_owned()), Origin::Env(var.to_owned())));
    };
    let path = PathBuf::from(value);
    let text = read_secret(&path).map_err(|error| {
        let message = format!("cannot read {value:?}: {error}");
        Problem::new(ProblemKind::Unreadable, Origin::Env(var.to_owned()), message).of_key(key)
    })?;
    let origin = Origin::EnvFile { var: var.to_owned(), path };
    Ok(Assignment::new(key, Input::Text(text), origin))
}

/// The key whose value a `…_file` name reads from a file.
fn file_key(key: &str) -> Option<&str> {
    let path = |key: &str| key.split('.').map(str::to_owned).collect::<Vec<_>>();
    let stem = key.strip_suffix("_file").filter(|stem| !stem.ends_with('.'))?;
    let is_key = matches!(keys::find(&path(key)), Found::Key(_));
    (!is_key
        && matches!(keys::find(&path(stem)), Found::Key(_) | Found::Redis | Found::Database | Found::App))
    .then_some(stem)
}

/// The file's text without the newline that editors and `echo` put at its end.
fn read_secret(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(LARGEST_SECRET + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LARGEST_SECRET {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 64KiB"));
    }
    let trimmed =
        text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    Ok(trimmed.to_owned())
}

/// Kubernetes tells every container of every service there is: one that is called `butterfly` (or `butterfly-…`) puts
/// `BUTTERFLY_SERVICE_HOST`, `BUTTERFLY_PORT=tcp://…` and the like into the environment of all.
fn is_service_link(name: &str, value: &str) -> bool {
    let port_of_link = |rest: &str| {
        let mut words = rest.split('_');
        words.next().is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
            && words.next().is_some_and(|protocol| matches!(protocol, "TCP" | "UDP" | "SCTP"))
    };
    let has_link = |mark: &str| name.split_once(mark).is_some_and(|(_, rest)| port_of_link(rest));
    let ends = |mark: &str| name == mark || name.strip_suffix(mark).is_some_and(|rest| rest.ends_with('_'));
    !name.contains("__")
        && (ends("SERVICE_HOST")
            || ends("SERVICE_PORT")
            || name.starts_with("SERVICE_PORT_")
            || name.contains("_SERVICE_PORT_")
            || (ends("PORT") && value.contains("://"))
            || has_link("PORT_"))
}

#[cfg(test)]
mod tests {
    use super::is_service_link;

    #[test]
    fn service_links_are_told_from_settings() {
        for name in [
            "SERVICE_HOST",
            "SERVICE_PORT",
            "SERVICE_PORT_HTTP",
            "DEMO_SERVICE_HOST",
            "PORT_8585_TCP",
            "DEMO_PORT_53_UDP_ADDR",
        ] {
            assert!(is_service_link(name, "10.0.0.1"), "{name}");
        }
        assert!(is_service_link("PORT", "tcp://10.0.0.1:8585"));
        assert!(is_service_link("DEMO_PORT", "tcp://10.0.0.1:8585"));
        for name in ["PORT", "NAME", "HTTP__LISTEN", "APP__X__SERVICE_HOST", "PORT_X", "EXPORT_1_TCPX"] {
            assert!(!is_service_link(name, "8585"), "{name}");
        }
    }
}
