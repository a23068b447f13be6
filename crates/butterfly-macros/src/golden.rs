//! What `#[handler]` writes, kept as files to read: `tests/golden/NAME.rs` becomes `tests/golden/NAME.expanded.rs`.
//!
//! All but one are without the trace, which has tests of its own.
//!
//! `BUTTERFLY_BLESS=1 cargo test -p butterfly-macros golden` writes them anew.

use std::path::{Path, PathBuf};
use std::{env, fs};

use proc_macro2::TokenStream;
use syn::{Attribute, ItemFn, Meta};

#[test]
fn expansions_are_as_kept() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let inputs = inputs(&folder);
    assert!(inputs.len() >= 8, "{} lost its files", folder.display());
    let changed: Vec<String> = inputs.iter().filter_map(|input| difference(input)).collect();
    assert!(changed.is_empty(), "BUTTERFLY_BLESS=1 accepts what changed:\n{}", changed.join("\n"));
}

fn inputs(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut inputs: Vec<PathBuf> =
        files.filter(|path| !path.to_string_lossy().ends_with(".expanded.rs")).collect();
    inputs.sort();
    inputs
}

/// What became of a file, unless it is as kept.
fn difference(input: &Path) -> Option<String> {
    let expanded = expansion(&fs::read_to_string(input).unwrap());
    let kept = input.with_extension("expanded.rs");
    if env::var_os("BUTTERFLY_BLESS").is_some() {
        fs::write(&kept, &expanded).unwrap();
        return None;
    }
    let before = fs::read_to_string(&kept).unwrap_or_default().replace("\r\n", "\n");
    (before != expanded).then(|| format!("{}:\n{expanded}", kept.display()))
}

/// Expands the one function of a file as the compiler would, and formats what comes out.
fn expansion(source: &str) -> String {
    let mut func: ItemFn = syn::parse_str(source).unwrap();
    let at = func.attrs.iter().position(|attribute| attribute.path().is_ident("handler")).unwrap();
    let options = options(&func.attrs.remove(at));
    let expanded = crate::handler::expand(options, quote::quote!(#func));
    prettyplease::unparse(&syn::parse2(expanded).unwrap())
}

fn options(attribute: &Attribute) -> TokenStream {
    match &attribute.meta {
        Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    }
}
