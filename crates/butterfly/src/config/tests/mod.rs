//! The configuration as its users meet it: layers in, values, report and errors out.

mod app;
mod errors;
mod garbage;
mod layers;
mod queue;
mod report;
mod stores;
mod units;

use super::{Config, ConfigError, Loaded, Loader};

/// Pairs of owned text out of literals.
fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// Loads from layers that are given as text; nothing outside is looked at.
fn load(toml: &str, env: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
    let loader = Loader::new("demo").env(pairs(env)).flags(pairs(flags));
    loader.merge(Ok(Some((toml.to_owned(), "butterfly.toml".into()))))
}

fn config(toml: &str, env: &[(&str, &str)], flags: &[(&str, &str)]) -> Config {
    load(toml, env, flags).unwrap().config
}

/// The text of the error that must come.
fn error(toml: &str, env: &[(&str, &str)], flags: &[(&str, &str)]) -> String {
    load(toml, env, flags).unwrap_err().to_string()
}
