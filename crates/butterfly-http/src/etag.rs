//! Entity tags (RFC 9110, sections 8.8.3 and 13.1.2).

use butterfly_core::head::Head;

/// True when the caller has what the tag names: weak comparison with every tag of every `If-None-Match`.
pub(crate) fn is_known(head: &Head, etag: &str) -> bool {
    let lines = head.headers().filter(|(name, _)| name.eq_ignore_ascii_case("if-none-match"));
    lines.filter_map(|(_, value)| std::str::from_utf8(value).ok()).any(|line| {
        // A comma inside another tag does no harm: no piece of it looks like a whole tag of ours.
        line.trim() == "*" || line.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag)
    })
}

/// The tag of some content: FNV-1a of 128 bits, the same in every process.
pub(crate) fn of(content: &[u8]) -> String {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let hash = content.iter().fold(OFFSET, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(PRIME));
    format!("\"{hash:032x}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_those_of_the_published_hash() {
        // Vectors of draft-eastlake-fnv.
        assert_eq!(of(b""), "\"6c62272e07bb014262b821756295c58d\"");
        assert_eq!(of(b"a"), "\"d228cb696f1a8caf78912b704e4a8964\"");
        assert_eq!(of(b"foobar"), "\"343e1662793c64bf6f0d3597ba446f18\"");
    }
}
