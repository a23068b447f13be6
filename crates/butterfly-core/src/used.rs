//! What stands behind a call, and can say more of its failure than the failure's own words do.

use std::error::Error as StdError;
use std::sync::Arc;

use crate::{Ctx, Error, Fault};

/// A thing outside of the process that a call makes use of, such as a database: [`Ctx::uses`] notes it.
///
/// # Example
///
/// ```
/// use std::sync::Arc;
/// use butterfly_core::{Ctx, Door, Error, Used};
///
/// struct Printer;
///
/// impl Used for Printer {
///     fn advise(&self, cause: &(dyn std::error::Error + 'static)) -> Option<String> {
///         cause.downcast_ref::<std::io::Error>().map(|_| "printers.default: see that it is on".to_owned())
///     }
/// }
///
/// let printer: Arc<dyn Used> = Arc::new(Printer);
/// let ctx = Ctx::new(Door::Cli);
/// ctx.uses(&printer);
/// let error = Error::from(std::io::Error::other("no answer"));
/// assert_eq!(ctx.advice(&error), ["printers.default: see that it is on"]);
/// ```
pub trait Used: Send + Sync {
    /// Which thing it is and what to do, when the failure is one of its own. For the error log alone: it may name addresses,
    /// and never a secret.
    fn advise(&self, cause: &(dyn StdError + 'static)) -> Option<String>;
}

impl Ctx {
    /// Notes that the call makes use of something.
    pub fn uses(&self, used: &Arc<dyn Used>) {
        let all = &mut self.notes().used;
        if !all.iter().any(|known| Arc::ptr_eq(known, used)) {
            all.push(used.clone());
        }
    }

    /// What those that the call made use of say of its failure.
    #[must_use]
    pub fn advice(&self, error: &Error) -> Vec<String> {
        let Fault::Server { source, .. } = error.fault() else { return Vec::new() };
        let all = self.notes().used.clone();
        all.iter().filter_map(|used| used.advise(source.as_ref())).collect()
    }
}
