//! The loader: which layers there are, and in what order they are laid.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::env::{self, Vars};
use super::error::{ConfigError, Origin, Problem};
use super::file::{self, Wanted};
use super::keys::{Config, KEYS};
use super::merge::{Assignment, Merge};
use super::setting::Input;
use super::stores;

/// Puts a [`Config`] together. It reads files but not the process: the environment and the flags are handed to it.
///
/// # Example
///
/// ```
/// use butterfly::config::Loader;
///
/// let env = [("BUTTERFLY_HTTP__LISEN".to_owned(), "0.0.0.0:80".to_owned())];
/// let error = Loader::new("demo").env(env).load().unwrap_err();
/// assert!(error.to_string().contains("did you mean `BUTTERFLY_HTTP__LISTEN`?"));
/// ```
#[derive(Clone)]
pub struct Loader {
    name: String,
    file: Option<PathBuf>,
    dir: PathBuf,
    env: Vars,
    flags: Vec<(String, String)>,
}

/// Without the values: there may be secrets among them.
impl fmt::Debug for Loader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loader").field("name", &self.name).field("file", &self.file).finish_non_exhaustive()
    }
}

impl Loader {
    /// A loader with defaults alone; `default_name` is the service's name unless a layer sets another.
    pub fn new(default_name: &str) -> Self {
        Self {
            name: default_name.to_owned(),
            file: None,
            dir: PathBuf::new(),
            env: Vars::new(),
            flags: Vec::new(),
        }
    }

    /// The file that `--config` names. Without one, `BUTTERFLY_CONFIG` or `./butterfly.toml` is read.
    #[must_use]
    pub fn file(mut self, file: Option<PathBuf>) -> Self {
        self.file = file;
        self
    }

    /// The folder in which `butterfly.toml` is looked for when no file is named; the working directory unless set.
    #[must_use]
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = dir.into();
        self
    }

    /// The environment; of a variable given twice the last counts.
    #[must_use]
    pub fn env(mut self, vars: impl IntoIterator<Item = (String, String)>) -> Self {
        self.env.extend(vars);
        self
    }

    /// What the command line sets, as `(key, value)`; of a key given twice the last counts.
    #[must_use]
    pub fn flags(mut self, flags: Vec<(String, String)>) -> Self {
        self.flags.extend(flags);
        self
    }

    /// Lays the layers over each other.
    ///
    /// # Errors
    ///
    /// When a file that is named cannot be read, or any layer holds an unknown key or a value its key does not accept.
    /// The error has all of them.
    pub fn load(self) -> Result<Loaded, ConfigError> {
        let wanted = self.wanted();
        let text = file::read(&wanted);
        self.merge(text.map(|text| text.map(|text| (text, wanted.path))))
    }

    fn wanted(&self) -> Wanted {
        let from_env = self.env.get(env::CONFIG_FILE).filter(|path| !path.is_empty());
        let (path, named_by) = match (&self.file, from_env) {
            (Some(path), _) => (path.clone(), Origin::CommandLine),
            (None, Some(path)) => (PathBuf::from(path), Origin::Env(env::CONFIG_FILE.to_owned())),
            (None, None) => (self.dir.join("butterfly.toml"), Origin::Default),
        };
        Wanted { path, must_exist: named_by != Origin::Default, named_by }
    }

    /// The file, as text and path, or why there is none, and the other layers over it.
    pub(super) fn merge(
        self,
        file: Result<Option<(String, PathBuf)>, Problem>,
    ) -> Result<Loaded, ConfigError> {
        let mut merge = Merge::new(&self.name);
        let file = file.unwrap_or_else(|problem| {
            merge.problems.push(problem);
            None
        });
        if let Some((text, path)) = &file {
            let layer = file::assignments(text, path, &mut merge.problems);
            merge.apply_all(layer);
            merge.problems.sort_by_key(|problem| problem.origin.line());
        }
        let own = env::assignments(&self.env, &mut merge.problems);
        let flags = self.flags.into_iter().map(flag).collect::<Vec<_>>();
        let is_overridden = |key: &str| own.iter().chain(&flags).any(|higher| higher.is_for(key));
        let ambient = env::ambient(&self.env, &merge.config, is_overridden, &mut merge.problems);
        merge.apply_all(ambient.into_iter().chain(own).chain(flags));
        // With an address refused, that it is missing says nothing new.
        if merge.problems.is_empty() {
            let origin = |key: &str| merge.origins.get(key).cloned().unwrap_or(Origin::Default);
            merge.problems = stores::missing(&merge.config, origin);
        }
        ConfigError::check(merge.problems)?;
        Ok(Loaded::new(merge.config, &merge.origins, file.map(|(_, path)| path)))
    }
}

fn flag((key, value): (String, String)) -> Assignment {
    Assignment::new(key.trim(), Input::Text(value), Origin::CommandLine)
}

/// A configuration, and where each of its values came from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What holds.
    pub config: Config,
    /// By key: every key there is, and those of `[redis]`, `[databases]` and `[app]` that are set.
    pub origins: BTreeMap<String, Origin>,
    file: Option<PathBuf>,
}

impl Loaded {
    fn new(config: Config, set: &BTreeMap<&'static str, Origin>, file: Option<PathBuf>) -> Self {
        let origin = |name| set.get(name).cloned().unwrap_or(Origin::Default);
        let mut origins: BTreeMap<_, _> =
            KEYS.iter().map(|key| (key.name.to_owned(), origin(key.name))).collect();
        origins.extend(config.redis.shown().map(|(key, _, origin)| (key, origin.clone())));
        origins.extend(config.databases.shown().map(|(key, _, origin)| (key, origin.clone())));
        origins.extend(config.app.leaves().into_iter().map(|(key, leaf)| (key, leaf.origin.clone())));
        Self { config, origins, file }
    }

    /// The file that was read, if any.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }
}
