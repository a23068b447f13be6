//! From a module's path to a route, at compile time: `shop::handlers::demo_api::hello` is `/demo_api/hello`.

/// The part of a module path that becomes the route: what is below `handlers`, else what is below the crate.
const fn below(module: &str) -> usize {
    let bytes = module.as_bytes();
    let mut at = 0;
    let mut crate_end = bytes.len();
    while at + 1 < bytes.len() {
        if bytes[at] == b':' && bytes[at + 1] == b':' {
            if crate_end == bytes.len() {
                crate_end = at + 2;
            }
            if follows(bytes, at + 2, b"handlers::") {
                return at + 2 + 10;
            }
            at += 1;
        }
        at += 1;
    }
    crate_end
}

const fn follows(bytes: &[u8], at: usize, word: &[u8]) -> bool {
    let mut index = 0;
    while index < word.len() {
        if at + index >= bytes.len() || bytes[at + index] != word[index] {
            return false;
        }
        index += 1;
    }
    true
}

/// Parts of a module path that are no part of the route: raw identifiers' mark, and the module that holds an app's
/// own file when it also has a folder.
const HIDDEN: [&[u8]; 2] = [b"r#", b"this_file::"];

const fn hidden(bytes: &[u8], at: usize) -> usize {
    let starts = at < 2 || bytes[at - 1] == b':';
    let mut index = 0;
    while starts && index < HIDDEN.len() {
        if follows(bytes, at, HIDDEN[index]) {
            return HIDDEN[index].len();
        }
        index += 1;
    }
    0
}

/// How many bytes the route of a module path has.
#[must_use]
pub const fn route_len(module: &str) -> usize {
    let bytes = module.as_bytes();
    let mut at = below(module);
    let mut len = 1;
    while at < bytes.len() {
        let skip = hidden(bytes, at);
        if skip > 0 {
            at += skip;
        } else if bytes[at] == b':' {
            at += 2;
            len += 1;
        } else {
            at += 1;
            len += 1;
        }
    }
    len
}

/// The bytes of the route of a module path.
#[must_use]
pub const fn route_bytes<const LEN: usize>(module: &str) -> [u8; LEN] {
    let bytes = module.as_bytes();
    let mut route = [b'/'; LEN];
    let mut at = below(module);
    let mut len = 1;
    while at < bytes.len() {
        let skip = hidden(bytes, at);
        if skip > 0 {
            at += skip;
        } else if bytes[at] == b':' {
            at += 2;
            len += 1;
        } else {
            route[len] = bytes[at].to_ascii_lowercase();
            at += 1;
            len += 1;
        }
    }
    route
}

/// The bytes as text; a module path is text, so the other arm is never taken.
#[must_use]
pub const fn route_str(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => "/",
    }
}

/// The route of the module in which it stands, as a constant `&str`.
#[macro_export]
#[doc(hidden)]
macro_rules! __route {
    () => {{
        const LEN: usize = $crate::__private::route_len(::core::module_path!());
        const BYTES: [u8; LEN] = $crate::__private::route_bytes(::core::module_path!());
        $crate::__private::route_str(&BYTES)
    }};
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! route {
        ($module:literal) => {{
            const LEN: usize = route_len($module);
            const BYTES: [u8; LEN] = route_bytes($module);
            route_str(&BYTES)
        }};
    }

    #[test]
    fn routes_come_from_what_is_below_handlers() {
        assert_eq!(route!("shop::handlers::demo_api::Hello"), "/demo_api/hello");
        assert_eq!(route!("shop::handlers::a::b::c"), "/a/b/c");
        assert_eq!(route!("shop::handlers::ping"), "/ping");
        assert_eq!(route!("shop::handlers::user::this_file::get"), "/user/get");
        assert_eq!(route!("shop::handlers::r#type::get"), "/type/get");
        assert_eq!(route!("apps::baichuan::enqueue"), "/baichuan/enqueue");
        assert_eq!(route!("apps::my_handlers::x"), "/my_handlers/x");
    }
}
