//! Each file below `tests/fail` holds mistakes of one group; beside it stands what the compiler says of them.
//!
//! `TRYBUILD=overwrite cargo test -p butterfly-macros` writes the answers anew: read them as a newcomer would.

use std::env;
use std::process::Command;

/// The compiler whose words are kept: each version says some things in its own way.
const KEPT_FOR: &str = "rustc 1.95.";

#[test]
fn every_mistake_gets_a_message_that_names_the_remedy() {
    let compiler = compiler();
    if !compiler.starts_with(KEPT_FOR) {
        println!("left out: the answers are kept for {KEPT_FOR}*, and this is {compiler}");
        return;
    }
    trybuild::TestCases::new().compile_fail("tests/fail/*.rs");
}

/// What the compiler says of its version.
fn compiler() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}
