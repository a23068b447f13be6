//! Which handler has which path.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use hashbrown::HashMap;
use smallvec::SmallVec;

use crate::args::decode;
use crate::handler::{Handler, Registered};

/// The handlers of an app by path: one hash lookup for plain paths, a tree for those with `{name}` segments.
#[derive(Default)]
pub struct Registry {
    handlers: Vec<&'static Handler>,
    plain: HashMap<String, Slots, foldhash::fast::FixedState>,
    dynamic: matchit::Router<Slots>,
    has_dynamic: bool,
}

/// The handlers of one path, told apart by method.
type Slots = SmallVec<[u32; 1]>;

/// A route that was found.
#[derive(Debug)]
pub struct Found {
    /// The handler.
    pub handler: &'static Handler,
    /// Its number: the place of its figures.
    pub index: usize,
    /// The values of the `{name}` segments, unescaped.
    pub captures: Vec<(String, String)>,
}

/// Why no route was found.
#[derive(Debug, PartialEq, Eq)]
pub enum Missed {
    /// No handler has the path.
    Path,
    /// The path's handlers take these methods.
    Method(Vec<&'static str>),
}

/// Why the handlers make no registry.
#[derive(Debug)]
#[non_exhaustive]
pub enum RegistryError {
    /// Two handlers have the same path and method.
    Duplicate(&'static Handler, &'static Handler),
    /// A path is not one that can be routed.
    Path(&'static Handler, String),
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = |handler: &Handler| format!("{}:{}", handler.source.short(), handler.source.line);
        match self {
            Self::Duplicate(one, two) => write!(
                f,
                "two handlers have the path {}: {} and {}; rename one, or give it #[handler(path = \"/…\")]",
                one.path,
                place(one),
                place(two)
            ),
            Self::Path(handler, why) => write!(f, "the path {} at {}: {why}", handler.path, place(handler)),
        }
    }
}

impl std::error::Error for RegistryError {}

impl Registry {
    /// All handlers that were linked into the program.
    ///
    /// # Errors
    ///
    /// When two of them have the same path and method; both places are named.
    pub fn collect() -> Result<Self, RegistryError> {
        Self::of(inventory::iter::<Registered>().map(|registered| registered.0))
    }

    /// These handlers alone: for tests, and for libraries of handlers.
    ///
    /// # Errors
    ///
    /// When two of them have the same path and method; both places are named.
    pub fn of(handlers: impl IntoIterator<Item = &'static Handler>) -> Result<Self, RegistryError> {
        let mut handlers: Vec<_> = handlers.into_iter().collect();
        handlers.sort_by_key(|handler| (handler.path, handler.options.methods));
        let mut by_path: BTreeMap<String, Slots> = BTreeMap::new();
        for (index, handler) in handlers.iter().enumerate() {
            let slots = by_path.entry(shape(handler.path)).or_default();
            if let Some(twin) =
                slots.iter().map(|slot| handlers[*slot as usize]).find(|twin| overlap(twin, handler))
            {
                return Err(RegistryError::Duplicate(twin, handler));
            }
            slots.push(index as u32);
        }
        Self { handlers, ..Self::default() }.filled(by_path)
    }

    fn filled(mut self, by_path: BTreeMap<String, Slots>) -> Result<Self, RegistryError> {
        for slots in by_path.into_values() {
            let handler = self.handlers[slots[0] as usize];
            if !handler.path.starts_with('/') {
                return Err(RegistryError::Path(handler, "it must begin with /".into()));
            }
            if handler.path.contains('{') {
                self.has_dynamic = true;
                let inserted = self.dynamic.insert(handler.path, slots);
                inserted.map_err(|error| RegistryError::Path(handler, error.to_string()))?;
            } else {
                self.plain.insert(handler.path.to_owned(), slots);
            }
        }
        Ok(self)
    }

    /// Every handler, sorted by path.
    #[must_use]
    pub fn handlers(&self) -> &[&'static Handler] {
        &self.handlers
    }

    /// The handler of a path, whatever the method; also with `{name}` segments as written.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&'static Handler> {
        let path = format!("/{}", path.trim_matches('/').to_ascii_lowercase());
        self.handlers.iter().copied().find(|handler| handler.path.eq_ignore_ascii_case(&path))
    }

    /// The handler that serves a request. One trailing `/` is passed over, and so is the case of the path's letters.
    ///
    /// # Errors
    ///
    /// Whether the path or only the method is unknown.
    pub fn find(&self, method: &str, path: &str) -> Result<Found, Missed> {
        let path = if path.len() > 1 { path.strip_suffix('/').unwrap_or(path) } else { path };
        if let Some(slots) = self.plain(path) {
            return self.by_method(slots, method).map(|(handler, index)| Found {
                handler,
                index,
                captures: Vec::new(),
            });
        }
        if !self.has_dynamic {
            return Err(Missed::Path);
        }
        self.find_dynamic(method, path)
    }

    fn plain(&self, path: &str) -> Option<&Slots> {
        match self.plain.get(path) {
            None if path.bytes().any(|b| b.is_ascii_uppercase()) => {
                self.plain.get(&path.to_ascii_lowercase())
            }
            found => found,
        }
    }

    fn find_dynamic(&self, method: &str, path: &str) -> Result<Found, Missed> {
        // Letters count in values, but not in the rest of the path: the match is made in lower case, and values
        // are read where they were found. Both texts have the same bytes but for the letters' case.
        let upper = path.bytes().any(|b| b.is_ascii_uppercase());
        let lower = if upper { Cow::Owned(path.to_ascii_lowercase()) } else { Cow::Borrowed(path) };
        let matched = self.dynamic.at(&lower).map_err(|_| Missed::Path)?;
        let mut captures = Vec::new();
        for (name, value) in matched.params.iter() {
            let from = (value.as_ptr() as usize).wrapping_sub(lower.as_ptr() as usize);
            let value = path.get(from..from.wrapping_add(value.len())).unwrap_or(value);
            // A `+` is itself in a path.
            let value = decode(&value.replace('+', "%2B")).map_err(|_| Missed::Path)?.into_owned();
            captures.push((name.to_owned(), value));
        }
        let (handler, index) = self.by_method(matched.value, method)?;
        Ok(Found { handler, index, captures })
    }

    fn by_method(&self, slots: &Slots, method: &str) -> Result<(&'static Handler, usize), Missed> {
        let all = slots.iter().map(|slot| (self.handlers[*slot as usize], *slot as usize));
        let mut fitting = all.clone().filter(|(handler, _)| takes(handler, method));
        fitting.next().ok_or_else(|| {
            Missed::Method(all.flat_map(|(handler, _)| handler.options.methods).copied().collect())
        })
    }
}

/// HEAD goes wherever GET goes.
fn takes(handler: &Handler, method: &str) -> bool {
    let methods = handler.options.methods;
    methods.is_empty() || methods.contains(&method) || (method == "HEAD" && methods.contains(&"GET"))
}

fn overlap(one: &Handler, two: &Handler) -> bool {
    let (a, b) = (one.options.methods, two.options.methods);
    a.is_empty() || b.is_empty() || a.iter().any(|method| b.contains(method))
}

/// The path with its parameter names taken out: `/users/{id}` and `/users/{name}` are the same route.
fn shape(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect::<Vec<_>>().join("/")
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.handlers.iter().map(|handler| handler.path)).finish()
    }
}
