//! Tables of addresses by names that the user chooses: `[redis]`, `[databases]`. Passwords in them are shown to nobody.

use std::collections::BTreeMap;
use std::fmt;

use super::error::Origin;
use super::queue::is_name;
use super::setting::{Input, wrong_type};

/// The address of a server, shown without its password.
pub(super) trait Address: Sized + fmt::Display {
    /// The table it is in.
    const TABLE: &'static str;
    const HELP: &'static str;
    const ACCEPTS: &'static str;
    /// What the entry `default` is unless it is set; empty where it is not there.
    const DEFAULT: &'static str = "";
    /// Names that mean something else.
    const TAKEN: &'static [&'static str];

    /// Reads it; what is wrong is told without anything of the text.
    fn parse(text: &str) -> Result<Self, String>;
}

/// The addresses that are configured, by name. Empty by default.
#[derive(Clone)]
pub struct AddressTable<A>(BTreeMap<String, Entry<A>>);

#[derive(Clone)]
struct Entry<A> {
    address: A,
    origin: Origin,
}

impl<A> Default for AddressTable<A> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

/// Where it was said does not matter.
impl<A: PartialEq> PartialEq for AddressTable<A> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<A> AddressTable<A> {
    /// The address of a name.
    pub fn get(&self, name: &str) -> Option<&A> {
        self.0.get(name).map(|entry| &entry.address)
    }

    /// The names there are, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Names and addresses, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &A)> {
        self.0.iter().map(|(name, entry)| (name.as_str(), &entry.address))
    }
}

#[allow(private_bounds, reason = "what reads an address is the loader's own affair")]
impl<A: Address> AddressTable<A> {
    /// Sets an address, or takes it back where the text is empty.
    ///
    /// # Errors
    ///
    /// What is wrong with name or address; nothing of the address is in it.
    pub(super) fn set(&mut self, name: &str, input: &Input, origin: Origin) -> Result<(), String> {
        if A::TAKEN.contains(&name) || !is_name(name) {
            let taken: String = A::TAKEN.iter().map(|name| format!(", not {name:?}")).collect();
            return Err(format!("{name:?} cannot be its name, that is letters, digits, - and _{taken}"));
        }
        let text = match input {
            Input::Text(text) => text,
            Input::Toml(value) => value.as_str().ok_or_else(|| wrong_type(value))?,
        };
        if text.trim().is_empty() || (name == "default" && text.trim() == A::DEFAULT) {
            self.0.remove(name);
        } else {
            self.0.insert(name.to_owned(), Entry { address: A::parse(text)?, origin });
        }
        Ok(())
    }

    /// All entries as they may be shown: full key, address without its password, origin.
    pub(super) fn shown(&self) -> impl Iterator<Item = (String, String, &Origin)> {
        let shown = |(name, entry): (&String, &Entry<A>)| (name.clone(), entry.address.to_string());
        self.0.iter().map(move |pair| {
            let (name, address) = shown(pair);
            (format!("{}.{name}", A::TABLE), address, &pair.1.origin)
        })
    }
}

impl<A: fmt::Display> fmt::Debug for AddressTable<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(name, entry)| (name, entry.address.to_string()))).finish()
    }
}
