//! Finding the handler files: from folders and files to a tree of modules.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::Problem;
use crate::name::module_name;

/// A module: an app's own file, the folder of what is below it, or both.
#[derive(Debug, Default)]
pub(crate) struct Module {
    /// As the file or folder is called; empty for the root.
    pub(crate) name: String,
    /// The name as Rust writes it.
    pub(crate) ident: String,
    pub(crate) file: Option<PathBuf>,
    pub(crate) children: Vec<Module>,
}

impl Module {
    fn is_empty(&self) -> bool {
        self.file.is_none() && self.children.is_empty()
    }

    /// The file or folder that gave it its name.
    fn origin(&self, parent: &Path) -> PathBuf {
        match &self.file {
            Some(file) if !file.ends_with("mod.rs") => file.clone(),
            _ => parent.join(&self.name),
        }
    }
}

/// The tree of the package in the folder `root`.
pub(crate) fn find(root: &Path, problems: &mut Vec<Problem>) -> Module {
    let mut finder = Finder { root, problems };
    let (file, folder) = (root.join("src/handlers.rs"), root.join("src/handlers"));
    if root.to_str().is_none() {
        finder.report(root, "the path is no UTF-8, so Rust source cannot name it; move the package");
    }
    let module = if folder.is_dir() { finder.folder(&folder) } else { Module::default() };
    if file.is_file() { finder.with_file(module, file) } else { module }
}

struct Finder<'a> {
    root: &'a Path,
    problems: &'a mut Vec<Problem>,
}

impl Finder<'_> {
    fn report(&mut self, path: &Path, message: impl std::fmt::Display) {
        let path = path.strip_prefix(self.root).unwrap_or(path);
        self.problems.push(Problem::new(path, message));
    }

    /// The module that a folder is, still without its name.
    fn folder(&mut self, folder: &Path) -> Module {
        let mut module = Module::default();
        // By the name in lower case: routes do not know the difference.
        let mut children = BTreeMap::<String, Module>::new();
        for path in self.entries(folder) {
            match self.entry(&path) {
                Some(found) if found.name == "mod" && found.file.as_deref() == Some(&path) => {
                    module.file = found.file;
                }
                Some(found) => {
                    let key = found.name.to_ascii_lowercase();
                    let child = match children.remove(&key) {
                        Some(known) => self.join(folder, known, found),
                        None => found,
                    };
                    children.insert(key, child);
                }
                None => {}
            }
        }
        module.children = children.into_values().collect();
        for child in &mut module.children {
            self.name(folder, child);
        }
        module
    }

    /// What lies in a folder and may be a handler, in the order of the names.
    fn entries(&mut self, folder: &Path) -> Vec<PathBuf> {
        let read = fs::read_dir(folder).and_then(|entries| {
            entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()
        });
        let mut paths = read.unwrap_or_else(|error| {
            self.report(folder, format_args!("cannot be read: {error}"));
            Vec::new()
        });
        paths.retain(|path| !lossy(path.file_name()).starts_with(['_', '.']));
        paths.sort();
        paths
    }

    /// The module that a file or a folder makes, if any.
    fn entry(&mut self, path: &Path) -> Option<Module> {
        let is_source = path.extension().is_some_and(|extension| extension == "rs");
        match fs::metadata(path) {
            Ok(kind) if kind.is_dir() && leads_back(path) => {
                self.report(path, "leads back to a folder above it; remove the link");
                None
            }
            Ok(kind) if kind.is_dir() => {
                let module = Module { name: lossy(path.file_name()), ..self.folder(path) };
                (!module.is_empty()).then_some(module)
            }
            Ok(_) if is_source => Some(Module {
                name: lossy(path.file_stem()),
                file: Some(path.to_owned()),
                ..Module::default()
            }),
            Ok(_) => None,
            Err(error) => {
                self.report(path, format_args!("cannot be read: {error}"));
                None
            }
        }
    }

    /// Two modules of one route: fine when they are an app's own file and its folder.
    fn join(&mut self, parent: &Path, one: Module, other: Module) -> Module {
        if one.name != other.name {
            let (first, second) = (one.origin(parent), other.origin(parent));
            let first = first.strip_prefix(self.root).unwrap_or(&first).display();
            let message = format!("makes the same routes as {first}, since case does not count; rename one");
            self.report(&second, message);
            return one;
        }
        let (file, folder) = if one.children.is_empty() { (one, other) } else { (other, one) };
        match file.file {
            Some(path) => self.with_file(folder, path),
            None => folder,
        }
    }

    /// The module of a folder with the file that stands beside the folder.
    fn with_file(&mut self, mut folder: Module, file: PathBuf) -> Module {
        if let Some(inner) = &folder.file {
            let inner = inner.strip_prefix(self.root).unwrap_or(inner).display();
            let message = format!("is the same module as {inner}; keep one of the two");
            self.report(&file, message);
        }
        folder.file = Some(file);
        folder
    }

    fn name(&mut self, parent: &Path, module: &mut Module) {
        match module_name(&module.name) {
            Ok(ident) => module.ident = ident,
            Err(bad) => self.report(&module.origin(parent), bad),
        }
    }
}

/// Whether the folder is a link to a folder that it lies in: there would be no end to what is below it.
fn leads_back(folder: &Path) -> bool {
    let parent = folder.parent().and_then(|parent| fs::canonicalize(parent).ok());
    let target = fs::canonicalize(folder).ok();
    parent.zip(target).is_some_and(|(parent, target)| parent.starts_with(target))
}

fn lossy(name: Option<&std::ffi::OsStr>) -> String {
    name.unwrap_or_default().to_string_lossy().into_owned()
}
