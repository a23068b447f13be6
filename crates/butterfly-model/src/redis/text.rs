//! Text that is searched: how it becomes words, and how words are asked for.
//!
//! Words are runs of letters and digits, in lower case. English ones lose their endings (Snowball's "english" stemmer, the
//! second version of Porter's), and the most frequent ones are left out. Chinese, Japanese and Korean have no spaces: each
//! sign is a word, and so is each pair of neighbours; a search for several signs asks for their pairs.

mod full_text;
mod query;
mod words;

pub use full_text::{Found, FullText, Hit};

pub(super) use query::ask;
pub(super) use words::{beginnings, index, typed};
