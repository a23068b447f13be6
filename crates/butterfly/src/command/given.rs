//! A handler and its arguments, as words of the command line name them.

use butterfly_core::args::Payload;
use butterfly_core::{Handler, Registry};

use super::routes;

/// A handler, and the values that its path carries.
pub(super) type Found = (&'static Handler, Vec<(String, String)>);

/// The handler of a path: its own, or one that it stands for (`/users/7`).
pub(super) fn find(registry: &Registry, path: &str) -> Option<Found> {
    let path = format!("/{}", path.trim_matches('/'));
    match registry.get(&path) {
        Some(handler) => Some((handler, Vec::new())),
        None => registry.find("GET", &path).ok().map(|found| (found.handler, found.captures)),
    }
}

/// The arguments as words of the command line.
pub(super) enum Given {
    Pairs(Vec<(String, String)>),
    Document(String),
}

impl Given {
    /// `name=value` where the handler has such a parameter, else the next parameter in order; `none` is left out. One
    /// word that begins with `{` is all of them as a JSON object.
    ///
    /// # Errors
    ///
    /// A text for the user, when there are more words than parameters.
    pub(super) fn read(handler: &Handler, words: &[String]) -> Result<Self, String> {
        if let [document] = words
            && document.trim_start().starts_with('{')
        {
            return Ok(Self::Document(document.clone()));
        }
        let names: Vec<&str> = handler.visible().map(|param| param.name).collect();
        let mut order = names.iter();
        let mut pairs = Vec::new();
        for word in words {
            match word.split_once('=') {
                Some((name, value)) if names.contains(&name) => {
                    pairs.push((name.to_owned(), value.to_owned()));
                }
                _ => {
                    let taken = |name: &str| pairs.iter().any(|(known, _)| known == name);
                    let next = order.find(|name| !taken(name));
                    let next = next.ok_or_else(|| {
                        format!("{word:?} is one argument too many: {}", usage_line(handler))
                    })?;
                    pairs.push(((*next).to_owned(), word.clone()));
                }
            }
        }
        pairs.retain(|(_, value)| !value.eq_ignore_ascii_case("none"));
        Ok(Self::Pairs(pairs))
    }

    pub(super) fn payload(&self) -> Payload<'_> {
        match self {
            Self::Pairs(pairs) => Payload::Pairs(pairs),
            Self::Document(document) => Payload::Json(document.as_bytes()),
        }
    }
}

pub(super) fn usage_line(handler: &Handler) -> String {
    let params: Vec<String> = handler.visible().map(routes::param).collect();
    format!("call {} {}", handler.path, params.join(" "))
}
