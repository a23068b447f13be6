//! Cookies: what a client sends is found by name alone, and what a handler sets is one cookie with our attributes.
//!
//! Input: a name on the first line; then `Cookie` headers, one a line, which together also serve as a value to set.

#![no_main]

use butterfly_core::head::Head;
use butterfly_core::reply::{Cookie, IntoReply, ReplyExt};
use butterfly_fuzz::line;
use http::Method;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let (name, rest) = line(data);
    let Ok(name) = std::str::from_utf8(name) else { return };
    received(name, rest);
    if let Ok(value) = std::str::from_utf8(rest) {
        set(name, value);
    }
});

fn received(name: &str, mut lines: &[u8]) {
    let mut head = Head::new(Method::GET, "/");
    head.push("Accept", b"a=1");
    let mut wanted = None;
    while !lines.is_empty() {
        let (one, rest) = line(lines);
        lines = rest;
        head.push(if rest.len() % 2 == 0 { "Cookie" } else { "cookie" }, one);
        wanted = wanted.or_else(|| naive(name, one));
    }
    assert_eq!(head.cookie(name), wanted.as_deref());
}

/// The first cookie of a name, found letter by letter.
fn naive(name: &str, line: &[u8]) -> Option<String> {
    let line = std::str::from_utf8(line).ok()?;
    let (mut known, mut value, mut in_value) = (String::new(), String::new(), false);
    for letter in line.chars().chain([';']) {
        match letter {
            ';' if in_value && known.trim() == name => {
                let value = value.trim();
                let quoted = value.len() > 1 && value.starts_with('"') && value.ends_with('"');
                return Some(if quoted { value[1..value.len() - 1].to_owned() } else { value.to_owned() });
            }
            ';' => (known, value, in_value) = Default::default(),
            '=' if !in_value => in_value = true,
            _ if in_value => value.push(letter),
            _ => known.push(letter),
        }
    }
    None
}

/// A cookie of a decent name, whatever its value.
fn set(name: &str, value: &str) {
    let name = if name.bytes().all(|byte| byte.is_ascii_alphanumeric()) { name } else { "a" };
    let Ok(reply) = ().with_cookie(Cookie::new(name, value)).into_reply() else { panic!("no reply") };
    let [(_, line)] = &reply.headers[..] else {
        return assert!(value.chars().any(char::is_control), "left out: {value:?}");
    };
    let line = String::from_utf8(line.as_bytes().to_vec()).unwrap();
    let parts: Vec<_> = line.split(';').map(str::trim).collect();
    assert_eq!(parts[1..], ["Path=/", "SameSite=Lax", "HttpOnly"]);
    assert!(parts[0].starts_with(&format!("{name}=")));
    let mut head = Head::new(Method::GET, "/");
    head.push("Cookie", parts[0].as_bytes());
    if !name.is_empty() {
        assert!(head.cookie(name).is_some());
    }
}
