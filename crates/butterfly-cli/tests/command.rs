//! The command as it is typed: what it writes, what it refuses, and what it says.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

fn butterfly(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_butterfly")).args(args).current_dir(folder).output().unwrap()
}

/// What it prints when all is well.
fn done(folder: &Path, args: &[&str]) -> String {
    let output = butterfly(folder, args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The exit code and the message when it is not.
fn refused(folder: &Path, args: &[&str]) -> (i32, String) {
    let output = butterfly(folder, args);
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

fn project() -> (TempDir, PathBuf) {
    let outer = tempfile::tempdir().unwrap();
    done(outer.path(), &["new", "my-shop"]);
    let project = outer.path().join("my-shop");
    (outer, project)
}

/// All files below a folder, by their path in it, in order.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        for entry in fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()) {
            match entry.is_dir() {
                true => open.push(entry),
                false => found.push(entry.strip_prefix(folder).unwrap().to_str().unwrap().replace('\\', "/")),
            }
        }
    }
    found.sort();
    found
}

fn check_format(project: &Path) {
    let sources = files(project).into_iter().filter(|file| file.ends_with(".rs"));
    let output = Command::new("rustfmt")
        .args(["--check", "--edition=2024"])
        .args(sources)
        .current_dir(project)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn a_new_project_is_whole_and_formatted() {
    let (_outer, project) = project();
    let expected = [
        ".gitignore",
        "Cargo.toml",
        "README.md",
        "build.rs",
        "butterfly.toml",
        "src/handlers/hello.rs",
        "src/main.rs",
    ];
    assert_eq!(files(&project), expected);
    for file in expected {
        let text = fs::read_to_string(project.join(file)).unwrap();
        assert!(!text.contains("{{name}}") && !text.contains("}}"), "{file} has a blank:\n{text}");
    }
    assert!(fs::read_to_string(project.join("src/main.rs")).unwrap().starts_with("//! my-shop: "));
    check_format(&project);
}

#[test]
fn its_manifest_and_its_handlers_are_taken() {
    let (_outer, project) = project();
    let output = Command::new(env!("CARGO"))
        .args(["read-manifest", "--offline"])
        .current_dir(&project)
        .output()
        .unwrap();
    let manifest = String::from_utf8(output.stdout).unwrap();
    assert!(manifest.contains(r#""name":"my-shop""#), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(manifest.contains(r#""name":"butterfly-build""#), "{manifest}");
    assert!(butterfly_build::generate(&project).unwrap().contains("pub mod hello;"));
}

#[test]
fn its_configuration_holds_with_and_without_the_comments() {
    let (_outer, project) = project();
    let file = project.join("butterfly.toml");
    let load = || butterfly::config::Loader::new("my-shop").file(Some(file.clone())).load().unwrap().config;
    let plain = load();

    let text = fs::read_to_string(&file).unwrap();
    let is_key = |line: &str| line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '));
    let uncomment = |line: &str| match line.strip_prefix("# ") {
        Some(rest) if is_key(rest) => format!("{rest}\n"),
        _ => format!("{line}\n"),
    };
    let open: String = text.lines().map(uncomment).collect();
    assert!(open.contains("\nlisten = ") && open.contains("\nname = \"my-shop\""), "{open}");
    fs::write(&file, open).unwrap();
    assert_eq!(load(), plain);
}

#[test]
fn the_next_steps_are_said() {
    let outer = tempfile::tempdir().unwrap();
    let text = done(outer.path(), &["new", "shop", "--path", "in/my shop"]);
    assert!(text.contains("cd 'in/my shop'\n"), "{text}");
    assert!(text.contains("cargo run\n") && text.contains("/hello/greet?name=you"), "{text}");
    assert!(outer.path().join("in/my shop/Cargo.toml").is_file());
}

#[test]
fn a_checkout_can_be_named() {
    let outer = tempfile::tempdir().unwrap();
    for name in ["butterfly", "butterfly-build"] {
        let folder = outer.path().join("checkout/crates").join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("Cargo.toml"), "").unwrap();
    }
    let expected = outer.path().canonicalize().unwrap().join("checkout/crates/butterfly-build");
    for (project, named) in [("one", "checkout"), ("two", "checkout/crates/butterfly")] {
        done(outer.path(), &["new", project, "--butterfly", named]);
        let manifest = fs::read_to_string(outer.path().join(project).join("Cargo.toml")).unwrap();
        assert!(manifest.contains(&format!("butterfly-build = {{ path = {expected:?} }}")), "{manifest}");
    }
    let (code, message) = refused(outer.path(), &["new", "three", "--butterfly", "one"]);
    assert!(code == 2 && message.contains("no checkout of Butterfly"), "{code} {message}");
    assert!(!outer.path().join("three").exists());
}

#[test]
fn bad_names_are_usage_errors_and_leave_nothing() {
    let outer = tempfile::tempdir().unwrap();
    for name in ["2fa", "My", "type", "test", "butterfly", "a b", "../up"] {
        let (code, message) = refused(outer.path(), &["new", name]);
        assert!(code == 2 && message.contains(&format!("`{name}`")), "{code} {message}");
    }
    assert_eq!(refused(outer.path(), &["new"]).0, 2);
    assert_eq!(refused(outer.path(), &["new", "shop", "--wrong"]).0, 2);
    assert_eq!(files(outer.path()), [""; 0]);
}

#[test]
fn folders_that_are_used_are_not_touched() {
    let outer = tempfile::tempdir().unwrap();
    fs::create_dir(outer.path().join("full")).unwrap();
    fs::write(outer.path().join("full/notes.txt"), "mine").unwrap();
    let (code, message) = refused(outer.path(), &["new", "full"]);
    assert!(code == 1 && message.contains("not empty") && message.contains("--path"), "{code} {message}");
    let (code, message) = refused(outer.path(), &["new", "shop", "--path", "full/notes.txt"]);
    assert!(code == 1 && message.contains("is a file"), "{code} {message}");
    assert_eq!(files(outer.path()), ["full/notes.txt"]);

    fs::create_dir(outer.path().join("empty")).unwrap();
    done(outer.path(), &["new", "empty"]);
}

#[test]
fn apps_are_added_from_anywhere_in_the_project() {
    let (_outer, project) = project();
    let text = done(&project, &["add", "app", "orders"]);
    assert!(text.contains("/orders/echo?text=hi"), "{text}");
    done(&project.join("src/handlers"), &["add", "app", "shop/type"]);

    let app = fs::read_to_string(project.join("src/handlers/shop/type.rs")).unwrap();
    assert!(app.starts_with("//! The app `shop/type`: its handlers answer below `/shop/type/`.\n"), "{app}");
    check_format(&project);
    let modules = butterfly_build::generate(&project).unwrap();
    assert!(modules.contains("pub mod orders;") && modules.contains("pub mod r#type;"), "{modules}");
}

#[test]
fn an_app_that_is_there_is_kept() {
    let (_outer, project) = project();
    let before = fs::read_to_string(project.join("src/handlers/hello.rs")).unwrap();
    for name in ["hello", "Hello"] {
        let (code, message) = refused(&project, &["add", "app", name]);
        assert!(code == 1 && message.contains("hello.rs"), "{code} {message}");
    }
    assert_eq!(fs::read_to_string(project.join("src/handlers/hello.rs")).unwrap(), before);

    fs::create_dir(project.join("src/handlers/shop")).unwrap();
    fs::write(project.join("src/handlers/shop/mod.rs"), "").unwrap();
    assert_eq!(refused(&project, &["add", "app", "shop"]).0, 1);
}

#[test]
fn apps_need_a_name_and_a_project() {
    let (outer, project) = project();
    for (name, says) in
        [("my-app", "`my_app`"), ("../up", "`..`"), ("_x", "no apps"), ("a/mod", "mod.rs"), ("", "empty")]
    {
        let (code, message) = refused(&project, &["add", "app", name]);
        assert!(code == 2 && message.contains(says), "{code} {message}");
    }
    let (code, message) = refused(outer.path(), &["add", "app", "orders"]);
    assert!(code == 1 && message.contains("butterfly new NAME"), "{code} {message}");
}
