//! The slot of a key in a cluster: the CRC16 (XMODEM) of its hash tag, modulo 16384. Source: the Redis cluster
//! specification, "Key distribution model" and "Hash tags".

/// The slot of a key.
///
/// # Example
///
/// ```
/// use butterfly_model::redis::slot;
///
/// assert_eq!(slot("{user}:1"), slot("{user}:2"));
/// assert_ne!(slot("user:1"), slot("user:2"));
/// ```
#[must_use]
pub fn slot(key: &str) -> u16 {
    crc16(tag(key.as_bytes())) % 16384
}

/// What decides of the slot: what stands between the first `{` and the next `}`, if that is not empty, else all.
fn tag(key: &[u8]) -> &[u8] {
    let Some(open) = key.iter().position(|byte| *byte == b'{') else { return key };
    let rest = &key[open + 1..];
    match rest.iter().position(|byte| *byte == b'}') {
        None | Some(0) => key,
        Some(close) => &rest[..close],
    }
}

fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0u16, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
        assert_eq!(slot("foo"), 12182);
        assert_eq!(slot("{user1000}.following"), slot("{user1000}.followers"));
        assert_eq!(tag(b"foo{}{bar}"), b"foo{}{bar}");
        assert_eq!(tag(b"foo{{bar}}zap"), b"{bar");
        assert_eq!(tag(b"foo{bar}{zap}"), b"bar");
    }
}
