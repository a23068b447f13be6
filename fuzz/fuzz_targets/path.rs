//! Paths: each leads to one route or none, and a URL that was made leads back to the values it was made of.
//!
//! Input: a path on the first line, two values on the next.

#![no_main]

use std::sync::LazyLock;

use butterfly::prelude::*;
use butterfly::registry::{Found, Missed};
use butterfly::{Registry, url_for};
use butterfly_core::args::decode;
use butterfly_fuzz::text_line;
use libfuzzer_sys::fuzz_target;

#[handler(path = "/")]
fn root() {}

#[handler(path = "/users", methods(GET))]
fn users() {}

#[handler(path = "/users", methods(POST, DELETE))]
fn change() {}

#[handler(path = "/users/{id}", methods(GET))]
fn user(id: String) -> String {
    id
}

#[handler(path = "/users/{id}/posts/{post}")]
fn post(id: String, post: String) -> String {
    id + &post
}

#[handler(path = "/files/{*rest}")]
fn file(rest: String) -> String {
    rest
}

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| Registry::collect().unwrap());

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (path, rest) = text_line(text);
    let (one, two) = text_line(rest);
    for method in ["GET", "HEAD", "POST", path] {
        if let Ok(found) = REGISTRY.find(method, path) {
            leads_back(method, &found);
        }
    }
    made("/users/{id}", &[("id", one)]);
    made("/users/{id}/posts/{post}", &[("id", one), ("post", two)]);
    made("/files/{*rest}", &[("rest", one)]);
    plain(path);
});

/// What was captured makes a URL of the same route.
fn leads_back(method: &str, found: &Found) {
    let methods = found.handler.options.methods;
    assert!(methods.is_empty() || methods.contains(&method) || method == "HEAD");
    assert_eq!(REGISTRY.handlers()[found.index].path, found.handler.path);
    let values: Vec<_> = found.captures.iter().map(|(name, value)| (&name[..], &value[..])).collect();
    made(found.handler.path, &values);
}

/// A URL made of values is found, and gives the values back.
fn made(route: &str, values: &[(&str, &str)]) {
    let shown: Vec<_> = values.iter().map(|(name, value)| (*name, value as &dyn std::fmt::Display)).collect();
    let Ok(url) = url_for(route, &shown) else {
        return assert!(values.iter().any(|(_, value)| value.is_empty()), "{values:?}");
    };
    assert!(url.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#\"<>\\^`{|}".contains(&byte)), "{url}");
    // One slash at the end of a path is passed over.
    if values.iter().any(|(name, value)| *name == "rest" && value.ends_with('/')) {
        return;
    }
    let found = REGISTRY.find("GET", &url).unwrap();
    assert_eq!(found.handler.path, route);
    let found: Vec<_> = found.captures.iter().map(|(name, value)| (&name[..], &value[..])).collect();
    assert_eq!(found, values);
}

/// A path without captures is found in any case of its letters, and with a slash more.
fn plain(path: &str) {
    let Ok(found) = REGISTRY.find("GET", path) else { return };
    if found.captures.is_empty() {
        assert_eq!(
            REGISTRY.find("GET", &path.to_ascii_uppercase()).unwrap().handler.path,
            found.handler.path
        );
        assert!(path.is_empty() || decode(path).is_ok());
        assert_eq!(
            REGISTRY.find("PUT", "/users").unwrap_err(),
            Missed::Method(vec!["GET", "POST", "DELETE"])
        );
    }
}
