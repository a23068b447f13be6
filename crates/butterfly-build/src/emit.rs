//! Writing the tree of modules as Rust source.

use std::path::Path;

use crate::name::OWN_FILE;
use crate::tree::Module;

const HEAD: &str = "\
// Written by butterfly-build from the files below src/handlers.
// Do not change it: the next build writes it anew.
";

/// The source of all that is below `handlers`.
pub(crate) fn source(root: &Module) -> String {
    let mut lines = Lines { text: HEAD.to_owned(), depth: 0 };
    lines.inside(root);
    lines.text
}

struct Lines {
    text: String,
    depth: usize,
}

impl Lines {
    fn line(&mut self, line: &str) {
        self.text.push_str(&"    ".repeat(self.depth));
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// An empty line, but for the first item between braces.
    fn gap(&mut self) {
        if !self.text.ends_with("{\n") {
            self.text.push('\n');
        }
    }

    /// What stands between the braces of a module that has a folder.
    fn inside(&mut self, module: &Module) {
        if let Some(file) = &module.file {
            self.gap();
            self.path(file);
            self.line(&format!("mod {OWN_FILE};"));
            // An app whose file makes nothing visible is fine.
            self.line("#[allow(unused_imports, unreachable_pub)]");
            self.line(&format!("pub use self::{OWN_FILE}::*;"));
        }
        for child in &module.children {
            self.gap();
            self.allow(module, child);
            self.module(child);
        }
    }

    fn module(&mut self, module: &Module) {
        match &module.file {
            Some(file) if module.children.is_empty() => {
                self.path(file);
                self.line(&format!("pub mod {};", module.ident));
            }
            _ => {
                self.line(&format!("/// Handlers of the folder `{}`.", module.name));
                self.line(&format!("pub mod {} {{", module.ident));
                self.depth += 1;
                self.inside(module);
                self.depth -= 1;
                self.line("}");
            }
        }
    }

    /// File names are the user's choice, so lints on module names say nothing.
    fn allow(&mut self, parent: &Module, module: &Module) {
        if module.name == parent.name {
            self.line("#[allow(clippy::module_inception)]");
        }
        if module.name.contains("__") || module.name.chars().any(|char| char.is_ascii_uppercase()) {
            self.line("#[allow(non_snake_case)]");
        }
    }

    fn path(&mut self, file: &Path) {
        // A text's Debug form is a Rust string literal.
        self.line(&format!("#[path = {:?}]", file.to_string_lossy()));
    }
}
