//! A typed call that is not made yet: what `hello::job("hi", 2)` gives, for the doors that call later or elsewhere.

use std::marker::PhantomData;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{Error, Result};

/// A call to be made: the handler's path and its arguments. `R` is what the handler answers.
///
/// # Example
///
/// ```
/// use butterfly_core::Job;
///
/// let job: Job<()> = Job::new("/demo_api/hello").arg("str_info", &"hi");
/// assert_eq!(job.path(), "/demo_api/hello");
/// assert_eq!(job.args()?, r#"{"str_info":"hi"}"#);
/// # Ok::<(), butterfly_core::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "a job does nothing until it is handed to a door"]
pub struct Job<R> {
    path: &'static str,
    args: std::result::Result<Map<String, Value>, serde_json::Error>,
    reply: PhantomData<fn() -> R>,
}

impl<R> Job<R> {
    /// A call without arguments.
    pub fn new(path: &'static str) -> Self {
        Self { path, args: Ok(Map::new()), reply: PhantomData }
    }

    /// Adds an argument.
    pub fn arg(mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Self {
        self.args = self.args.and_then(|mut args| {
            args.insert(name.to_owned(), serde_json::to_value(value)?);
            Ok(args)
        });
        self
    }

    /// Adds an argument if there is one: what is left out is not the same as null.
    pub fn arg_if(self, name: &str, value: Option<&(impl Serialize + ?Sized)>) -> Self {
        match value {
            Some(value) => self.arg(name, value),
            None => self,
        }
    }

    /// The handler's path: the topic of the message.
    #[must_use]
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// The arguments as a JSON object.
    ///
    /// # Errors
    ///
    /// When an argument cannot be serialised.
    pub fn args(&self) -> Result<String> {
        let args = self.args.as_ref().map_err(|error| Error::server(error.to_string()))?;
        Ok(serde_json::to_string(args)?)
    }
}
