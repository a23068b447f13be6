//! The build-script helper of Butterfly: every file below `src/handlers` becomes a module, and nobody keeps a list.
//!
//! A service's `build.rs` is one line:
//!
//! ```no_run
//! fn main() {
//!     butterfly_build::handlers();
//! }
//! ```
//!
//! and its `main.rs` takes the modules in with `butterfly::handlers!();`.
//!
//! | file | module | routes begin with |
//! | --- | --- | --- |
//! | `src/handlers/hello.rs` | `handlers::hello` | `/hello/` |
//! | `src/handlers/shop/orders.rs` | `handlers::shop::orders` | `/shop/orders/` |
//! | `src/handlers/shop.rs` or `src/handlers/shop/mod.rs` | `handlers::shop` | `/shop/` |
//! | `src/handlers/type.rs` | `handlers::r#type` | `/type/` |
//! | `src/handlers.rs` or `src/handlers/mod.rs` | `handlers` | `/` |
//!
//! # Rules
//!
//! - The files are found, so none of them says `mod` for another file of `src/handlers`.
//! - Names are Rust names in ASCII; a name that cannot be one stops the build and says what to call it instead. A
//!   folder without any `.rs` file may have any name.
//! - Routes do not know upper from lower case, so two files whose names differ only in that stop the build. So do two
//!   files of one module, such as `shop.rs` and `shop/mod.rs`.
//! - `shop.rs` beside a folder `shop/` stands in a module of its own, `handlers::shop::this_file`, and all it makes
//!   visible to others (`pub`, `pub(crate)`, `pub(super)`) is seen in `handlers::shop` too. Its `super` is
//!   `handlers::shop`.
//!
//! # Helpers beside handlers
//!
//! Code that handlers share belongs in `src/`, outside of `src/handlers`, as in any program. What should lie beside the
//! handlers gets a name that begins with `_` (or `.`): such files and folders are no apps and are left alone. A handler
//! file takes one in by its path, which counts from the folder of that file:
//!
//! ```rust,ignore
//! // src/handlers/shop.rs
//! #[path = "_prices.rs"] // src/handlers/_prices.rs
//! mod prices;
//! ```

#![expect(clippy::needless_doctest_main, reason = "the examples are whole build scripts")]

mod emit;
mod name;
mod problem;
mod script;
mod tree;

pub use name::{BadName, module_name};
pub use problem::Problem;
pub use script::handlers;

use std::path::Path;

/// The modules of the package in the folder `root`, as Rust source. Without any handler it is a comment alone.
///
/// [`handlers`] is this and the talk with cargo around it. Paths in the source begin with `root`, so `root` should be
/// absolute.
///
/// # Errors
///
/// All that is wrong with the names below `src/handlers`, and every folder that could not be read.
///
/// # Example
///
/// ```
/// let package = tempfile::tempdir()?;
/// let folder = package.path().join("src/handlers/shop");
/// std::fs::create_dir_all(&folder)?;
/// std::fs::write(folder.join("orders.rs"), "")?;
///
/// let source = butterfly_build::generate(package.path()).unwrap();
/// assert!(source.contains("pub mod shop {") && source.contains("pub mod orders;"));
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn generate(root: &Path) -> Result<String, Vec<Problem>> {
    let mut problems = Vec::new();
    let tree = tree::find(root, &mut problems);
    if problems.is_empty() { Ok(emit::source(&tree)) } else { Err(problems) }
}
