//! A function that remembers.

use std::fmt;

use butterfly_core::Result;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::handle::encode;
use super::{Cache, Keep};

/// A function whose results a cache keeps: [`Cache::memoize`].
#[derive(Clone)]
pub struct Memo<F> {
    cache: Cache,
    name: String,
    keep: Keep<'static>,
    function: F,
}

impl Cache {
    /// Makes a function remember what it gave for which arguments: those that have the same JSON are the same.
    ///
    /// The keys are `name` and the arguments, so two functions need two names; all results of a function have its
    /// name as a tag besides those of `keep`.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use butterfly_model::cache::{Cache, Keep};
    ///
    /// # #[tokio::main]
    /// # async fn main() -> butterfly_core::Result<()> {
    /// let cache = Cache::memory(16 << 20);
    /// let power = cache.memoize("power", Keep::fresh(Duration::from_secs(60)), async |(base, exponent): (u64, u32)| {
    ///     Ok(base.pow(exponent))
    /// });
    /// assert_eq!(power.call((2, 10)).await?, 1024);
    /// assert_eq!(power.call((2, 10)).await?, 1024);
    /// assert_eq!(cache.counters().load, 1);
    /// power.forget(&(2, 10)).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn memoize<A, T, F>(
        &self,
        name: impl Into<String>,
        keep: impl Into<Keep<'static>>,
        function: F,
    ) -> Memo<F>
    where
        F: AsyncFn(A) -> Result<T>,
    {
        Memo { cache: self.clone(), name: name.into(), keep: keep.into(), function }
    }
}

impl<F> Memo<F> {
    /// What the function gives for the arguments, from the cache if it is there. See [`Cache::get_or_load`].
    ///
    /// # Errors
    ///
    /// The function's own, and a server fault for arguments that have no JSON form.
    pub async fn call<A, T>(&self, args: A) -> Result<T>
    where
        A: Serialize,
        T: Serialize + DeserializeOwned,
        F: AsyncFn(A) -> Result<T>,
    {
        let key = self.key(&args)?;
        let mut tags = vec![self.name.as_str()];
        tags.extend(self.keep.tags);
        let keep = Keep { tags: &tags, ..self.keep };
        self.cache.get_or_load(&key, keep, || (self.function)(args)).await
    }

    /// Forgets what the function gave for the arguments; false if that was not known.
    ///
    /// # Errors
    ///
    /// When the store cannot do it, and for arguments that have no JSON form.
    pub async fn forget<A: Serialize>(&self, args: &A) -> Result<bool> {
        Ok(self.cache.delete(&self.key(args)?).await?)
    }

    /// Forgets all that the function gave.
    ///
    /// # Errors
    ///
    /// When the store cannot do it.
    pub async fn forget_all(&self) -> Result<()> {
        Ok(self.cache.invalidate_tag(&self.name).await?)
    }

    fn key<A: Serialize>(&self, args: &A) -> Result<String> {
        let args = String::from_utf8(encode(&self.name, args)?)?;
        Ok(format!("{}:{args}", self.name))
    }
}

impl<F> fmt::Debug for Memo<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memo").field("name", &self.name).field("keep", &self.keep).finish_non_exhaustive()
    }
}
