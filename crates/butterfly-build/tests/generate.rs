//! From files on disk to modules, and from modules to what the compiler makes of them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;

use butterfly_build::generate;
use tempfile::TempDir;

/// What a handler file says in these tests: the module it is in.
const WHERE: &str = "//! An app.\n\n/// Where this is.\npub const WHERE: &str = module_path!();\n";

/// A package with these files below `src`.
fn package(files: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path = folder.path().join("src").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, WHERE).unwrap();
    }
    folder
}

/// The source, with the package's folder as `ROOT`.
fn source(files: &[&str]) -> String {
    let package = package(files);
    let source = generate(package.path()).unwrap();
    source.replace(package.path().to_str().unwrap(), "ROOT")
}

/// The source without the comment at its top.
fn modules(files: &[&str]) -> String {
    source(files).lines().filter(|line| !line.starts_with("// ")).map(|line| format!("{line}\n")).collect()
}

fn problems(files: &[&str]) -> Vec<String> {
    let problems = generate(package(files).path()).unwrap_err();
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn each_file_is_a_module_in_the_order_of_names() {
    assert_eq!(
        source(&["handlers/hello.rs", "handlers/demo_api.rs"]),
        r#"// Written by butterfly-build from the files below src/handlers.
// Do not change it: the next build writes it anew.

#[path = "ROOT/src/handlers/demo_api.rs"]
pub mod demo_api;

#[path = "ROOT/src/handlers/hello.rs"]
pub mod hello;
"#
    );
}

#[test]
fn folders_nest_and_an_app_may_have_a_file_and_a_folder() {
    let expected = r#"
/// Handlers of the folder `a`.
pub mod a {
    #[path = "ROOT/src/handlers/a.rs"]
    mod this_file;
    #[allow(unused_imports, unreachable_pub)]
    pub use self::this_file::*;

    /// Handlers of the folder `b`.
    pub mod b {
        #[path = "ROOT/src/handlers/a/b/c.rs"]
        pub mod c;
    }
}
"#;
    assert_eq!(modules(&["handlers/a.rs", "handlers/a/b/c.rs"]), expected);
    let as_mod = modules(&["handlers/a/mod.rs", "handlers/a/b/c.rs"]);
    assert_eq!(as_mod.replace("a/mod.rs", "a.rs"), expected);
}

#[test]
fn a_folder_with_its_own_file_alone_is_a_plain_module() {
    let expected = "\n#[path = \"ROOT/src/handlers/a/mod.rs\"]\npub mod a;\n";
    assert_eq!(modules(&["handlers/a/mod.rs"]), expected);
}

#[test]
fn the_root_has_a_file_too() {
    for file in ["handlers.rs", "handlers/mod.rs"] {
        let source = modules(&[file]);
        assert!(source.contains("mod this_file;\n") && !source.contains("pub mod"), "{source}");
    }
}

#[test]
fn what_is_no_app_is_left_alone() {
    let files = ["handlers/_help.rs", "handlers/.#x.rs", "handlers/_old/a.rs", "handlers/a-b/notes.txt"];
    assert_eq!(modules(&files), "");
    assert_eq!(modules(&["main.rs"]), "");
}

#[test]
fn names_that_cannot_be_modules_are_all_told_with_the_remedy() {
    assert_eq!(
        problems(&["handlers/my-app.rs", "handlers/2fa.rs", "handlers/ok.rs", "handlers/in-side/self.rs"]),
        [
            "src/handlers/in-side/self.rs: `self` means something else in a Rust path; rename it, for example to \
             `self_app`",
            "src/handlers/2fa.rs: `2fa` begins with a digit, which no Rust module can; rename it, for example to \
             `app_2fa`",
            "src/handlers/in-side: `in-side` is no Rust name (ASCII letters, digits and `_`); rename it, for example \
             to `in_side`",
            "src/handlers/my-app.rs: `my-app` is no Rust name (ASCII letters, digits and `_`); rename it, for \
             example to `my_app`",
        ]
    );
    assert!(problems(&["handlers/this_file.rs"])[0].contains("is taken"));
}

#[test]
fn one_module_has_one_file() {
    assert_eq!(
        problems(&["handlers/a.rs", "handlers/a/mod.rs", "handlers/a/b.rs"]),
        ["src/handlers/a.rs: is the same module as src/handlers/a/mod.rs; keep one of the two"]
    );
    assert_eq!(problems(&["handlers/a.rs", "handlers/a/mod.rs"]).len(), 1);
    assert_eq!(
        problems(&["handlers.rs", "handlers/mod.rs"]),
        ["src/handlers.rs: is the same module as src/handlers/mod.rs; keep one of the two"]
    );
}

#[test]
fn names_that_differ_in_case_alone_make_the_same_routes() {
    let folder = package(&["handlers/user.rs"]);
    let handlers = folder.path().join("src/handlers");
    fs::write(handlers.join("User.rs"), WHERE).unwrap();
    if fs::read_dir(&handlers).unwrap().count() == 1 {
        return; // A file system that does not know the difference either.
    }
    let problems = generate(folder.path()).unwrap_err();
    assert_eq!(
        problems[0].to_string(),
        "src/handlers/user.rs: makes the same routes as src/handlers/User.rs, since case does not count; rename one"
    );
}

#[cfg(unix)]
#[test]
fn links_are_followed_but_not_in_circles() {
    let folder = package(&["handlers/a.rs", "shared/b.rs"]);
    let src = folder.path().join("src");
    std::os::unix::fs::symlink(src.join("shared"), src.join("handlers/linked")).unwrap();
    assert!(generate(folder.path()).unwrap().contains("handlers/linked/b.rs"));

    std::os::unix::fs::symlink(&src, src.join("handlers/up")).unwrap();
    let problems = generate(folder.path()).unwrap_err();
    assert_eq!(problems[0].to_string(), "src/handlers/up: leads back to a folder above it; remove the link");
}

#[cfg(unix)]
#[test]
fn a_message_is_one_line_whatever_the_name() {
    let line = problems(&["handlers/a\ncargo::error=b.rs"]).remove(0);
    assert!(!line.contains('\n'), "{line}");
}

/// Compiles a program with these handlers, all warnings denied, and runs it.
fn printed(package: &Path, print: &[&str]) -> String {
    let lines: String = print.iter().map(|path| format!("println!(\"{{}}\", handlers::{path});\n")).collect();
    let main = format!(
        "//! A program.\npub mod handlers {{ include!(\"generated.rs\"); }}\nfn main() {{ {lines} }}\n"
    );
    fs::write(package.join("shop.rs"), main).unwrap();
    fs::write(package.join("generated.rs"), generate(package).unwrap()).unwrap();
    let program = package.join("program");
    let compiled = Command::new("rustc")
        .args(["--edition=2024", "--crate-name=shop", "-Dwarnings", "-Wunreachable_pub", "shop.rs", "-o"])
        .arg(&program)
        .current_dir(package)
        .output()
        .unwrap();
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    String::from_utf8(Command::new(program).output().unwrap().stdout).unwrap()
}

#[test]
fn the_compiler_takes_it_without_a_warning() {
    let package = package(&[
        "handlers/mod.rs",
        "handlers/type.rs",
        "handlers/UserAdmin.rs",
        "handlers/a.rs",
        "handlers/a/a.rs",
        "handlers/a/b/c__d.rs",
        "handlers/silent/x.rs",
    ]);
    let handlers = package.path().join("src/handlers");
    fs::write(handlers.join("silent.rs"), "#[path = \"_help.rs\"]\nmod help;\npub(crate) use help::HELP;\n")
        .unwrap();
    fs::write(handlers.join("_help.rs"), "pub(crate) const HELP: &str = \"help\";\n").unwrap();
    let print = [
        "WHERE",
        "r#type::WHERE",
        "UserAdmin::WHERE",
        "a::WHERE",
        "a::a::WHERE",
        "a::b::c__d::WHERE",
        "silent::HELP",
        "silent::x::WHERE",
    ];
    assert_eq!(
        printed(package.path(), &print),
        "shop::handlers::this_file\nshop::handlers::r#type\nshop::handlers::UserAdmin\nshop::handlers::a::this_file\n\
         shop::handlers::a::a\nshop::handlers::a::b::c__d\nhelp\nshop::handlers::silent::x\n"
    );
}

#[test]
fn any_folder_name_is_a_rust_text() {
    let outer = tempfile::tempdir().unwrap();
    let package = outer.path().join("a \"b\" \\ {c} é\u{200b}'");
    let handlers = package.join("src/handlers");
    fs::create_dir_all(&handlers).unwrap();
    fs::write(handlers.join("a.rs"), WHERE).unwrap();
    assert_eq!(printed(&package, &["a::WHERE"]), "shop::handlers::a\n");
}

#[test]
fn an_empty_module_compiles_too() {
    let package = package(&[]);
    assert_eq!(printed(package.path(), &[]), "");
}
