//! Parameters that borrow: each is told its owned form.
#![allow(unused)]

use std::borrow::Cow;
use std::path::Path;

use butterfly_macros::handler;

#[handler]
fn text(name: &str) {}

#[handler]
fn all(
    bytes: &[u8],
    maybe: Option<&str>,
    forever: &'static str,
    path: &Path,
    number: &mut u32,
    plain: u32,
) {
}

#[handler]
async fn named<'a>(text: Cow<'a, str>) {}

fn main() {}
