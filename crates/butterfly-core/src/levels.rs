//! Log levels as a handler sees them: whoever writes the logs says what they are and lets them be changed.

/// The levels of a log, changeable while the program runs.
///
/// A program gives its app one as `Arc<dyn LogLevels>`; the built-in app `demo_log` shows and sets it. Levels are
/// the words `off`, `error`, `warn`, `info`, `debug` and `trace`; the default for all targets goes by the empty
/// name.
///
/// # Example
///
/// ```
/// use std::sync::Mutex;
/// use butterfly_core::levels::LogLevels;
///
/// struct One(Mutex<String>);
///
/// impl LogLevels for One {
///     fn list(&self) -> Vec<(String, String)> {
///         vec![(String::new(), self.0.lock().map(|level| level.clone()).unwrap_or_default())]
///     }
///
///     fn set(&self, target: &str, level: &str) -> Result<(), String> {
///         if !target.is_empty() {
///             return Err("there is one level for all targets".into());
///         }
///         *self.0.lock().map_err(|error| error.to_string())? = level.into();
///         Ok(())
///     }
/// }
///
/// let levels = One(Mutex::new("info".into()));
/// assert!(levels.set("my_app", "debug").is_err());
/// levels.set("", "debug")?;
/// assert_eq!(levels.list(), [("".into(), "debug".into())]);
/// # Ok::<(), String>(())
/// ```
pub trait LogLevels: Send + Sync {
    /// Every target that has a level of its own, and the default under the empty name.
    fn list(&self) -> Vec<(String, String)>;

    /// Sets the level of a target and of all inside it; the empty target is the default.
    ///
    /// # Errors
    ///
    /// Why there is no such target, for the caller.
    fn set(&self, target: &str, level: &str) -> Result<(), String>;
}
