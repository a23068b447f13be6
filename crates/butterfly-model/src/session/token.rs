//! What a cookie carries: a secret that nobody can guess, signed, so that forged ones never reach a store.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use butterfly_core::{Error, Result};
use sha2::{Digest, Sha256};

use super::Keys;

/// Bytes of a secret: 192 bits.
const SECRET: usize = 24;
/// The longest value of a cookie that is looked at; real ones have 76 characters.
const LONGEST: usize = 128;

/// The secret of one session. Whoever has it has the session, so it is in the cookie alone: stores know its hash.
pub(super) struct Token([u8; SECRET]);

impl Token {
    pub(super) fn random() -> Result<Self> {
        let mut secret = [0; SECRET];
        getrandom::fill(&mut secret)
            .map_err(|error| Error::server(format!("the system gives no random numbers: {error}")))?;
        Ok(Self(secret))
    }

    /// The name of the session in stores and lists.
    pub(super) fn id(&self) -> String {
        hex_of_hash(&self.0)
    }

    /// The value of the cookie.
    pub(super) fn write(&self, keys: &Keys) -> String {
        format!("{}.{}", BASE64.encode(self.0), BASE64.encode(keys.sign(&self.0)))
    }

    /// Reads the value of a cookie, whoever wrote it; also gives whether the key that signed it is still the one that
    /// signs. `None` for everything that no key of ours signed.
    pub(super) fn read(text: &str, keys: &Keys) -> Option<(Self, bool)> {
        let (secret, signature) = text.split_once('.').filter(|_| text.len() <= LONGEST)?;
        let secret: [u8; SECRET] = BASE64.decode(secret).ok()?.try_into().ok()?;
        let signature = BASE64.decode(signature).ok()?;
        let current = keys.verify(&secret, &signature)?;
        Some((Self(secret), current))
    }
}

/// The SHA-256 of something, in hex: it fits every store, and tells nobody what it was made of.
pub(super) fn hex_of_hash(secret: &[u8]) -> String {
    Sha256::digest(secret).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys(secrets: &[&str]) -> Keys {
        Keys::of(secrets).unwrap()
    }

    #[test]
    fn what_was_written_is_read_also_when_keys_have_changed() {
        let (old, token) = (keys(&["the old secret"]), Token::random().unwrap());
        let cookie = token.write(&old);
        let (read, current) = Token::read(&cookie, &old).unwrap();
        assert_eq!((read.id(), current), (token.id(), true));
        let (read, current) = Token::read(&cookie, &keys(&["the new secret", "the old secret"])).unwrap();
        assert_eq!((read.id(), current), (token.id(), false));
        assert!(Token::read(&cookie, &keys(&["the new secret"])).is_none());
        assert!(!cookie.contains(&token.id()) && token.id().len() == 64);
    }

    #[test]
    fn no_byte_of_a_cookie_can_be_another() {
        let keys = keys(&["a secret of ours"]);
        let cookie = Token::random().unwrap().write(&keys);
        for at in 0..cookie.len() {
            for other in ["A", "B", "_", ".", "=", "", "é"] {
                let mut changed = cookie.clone();
                changed.replace_range(at..=at, other);
                assert!(changed == cookie || Token::read(&changed, &keys).is_none(), "{changed}");
            }
            assert!(Token::read(&cookie[..at], &keys).is_none());
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_is_no_session(text in "\\PC{0,200}", bytes in "[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,60}") {
            let keys = keys(&["a secret of ours"]);
            prop_assert!(Token::read(&text, &keys).is_none());
            prop_assert!(Token::read(&bytes, &keys).is_none());
        }
    }
}
