//! The keys that sign cookies: given, or made once and kept in a file.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Signatures of sessions mean nothing elsewhere, should a secret be used for something else too.
const PURPOSE: &[u8] = b"butterfly session\n";
/// Shorter secrets could be guessed.
const SHORTEST: usize = 12;

/// The keys that sign cookies. The first signs, all verify: to change keys, put a new one first, and take the old one
/// away when its sessions have ended.
#[derive(Clone)]
pub struct Keys(Vec<Hmac<Sha256>>);

impl Keys {
    /// Keys made of secrets, which all processes that share sessions must have.
    ///
    /// # Errors
    ///
    /// When there is none, or one is shorter than 12 bytes.
    ///
    /// # Example
    ///
    /// ```
    /// use butterfly_model::session::Keys;
    ///
    /// assert!(Keys::of(&["new-secret-4711", "old-secret-0815"]).is_ok());
    /// assert!(Keys::of(&["guess"]).is_err());
    /// ```
    pub fn of(secrets: &[impl AsRef<str>]) -> io::Result<Self> {
        let wrong = |why: String| io::Error::new(io::ErrorKind::InvalidInput, why);
        if secrets.is_empty() {
            return Err(wrong("sessions have no key: give one secret at least".into()));
        }
        let keys = secrets.iter().map(AsRef::as_ref).map(|secret| {
            if secret.len() < SHORTEST {
                return Err(wrong(format!(
                    "a secret of sessions has {} bytes: give it {SHORTEST} at least",
                    secret.len()
                )));
            }
            Hmac::new_from_slice(secret.as_bytes()).map_err(|error| wrong(error.to_string()))
        });
        keys.collect::<io::Result<_>>().map(Self)
    }

    /// The keys in a file, one a line. Where there is no file, it is made, with one random key, for its owner alone; of
    /// processes that start together all get the same.
    ///
    /// # Errors
    ///
    /// When the file can be neither read nor made, or holds no keys.
    pub fn in_file(path: &Path) -> io::Result<Self> {
        let named = |error: io::Error| {
            io::Error::new(error.kind(), format!("the keys of sessions, {}: {error}", path.display()))
        };
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make(path).map_err(named)?;
                fs::read_to_string(path).map_err(named)?
            }
            read => read.map_err(named)?,
        };
        if fs::metadata(path).map_err(named)?.permissions().mode() & 0o077 != 0 {
            let path = path.display();
            tracing::warn!(target: "butterfly::session", "{path} can be read by others, who can forge sessions: chmod 600 {path}");
        }
        let secrets: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        Self::of(&secrets).map_err(named)
    }

    pub(super) fn sign(&self, secret: &[u8]) -> [u8; 32] {
        // There is one at least.
        self.0.first().map_or([0; 32], |key| mac(key, secret).finalize().into_bytes().into())
    }

    /// Whether a key of these signed it: `Some(true)` when it was the one that signs now.
    pub(super) fn verify(&self, secret: &[u8], signature: &[u8]) -> Option<bool> {
        self.0.iter().position(|key| mac(key, secret).verify_slice(signature).is_ok()).map(|at| at == 0)
    }
}

fn mac(key: &Hmac<Sha256>, secret: &[u8]) -> Hmac<Sha256> {
    let mut mac = key.clone();
    mac.update(PURPOSE);
    mac.update(secret);
    mac
}

/// Makes the file whole under another name, then gives it its name, unless somebody was faster.
fn make(path: &Path) -> io::Result<()> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(io::Error::other)?;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let draft = path.with_extension(format!("new-{}", BASE64.encode(&secret[..6])));
    let mut file: File = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    // The file's name must not show any of the key: only what is not the name's is the key.
    let written = writeln!(file, "{}", BASE64.encode(&secret[6..])).and_then(|()| file.sync_all());
    let linked = written.and_then(|()| fs::hard_link(&draft, path));
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.0.len())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/session.key");
        let signatures: Vec<[u8; 32]> = std::thread::scope(|scope| {
            let all: Vec<_> =
                (0..8).map(|_| scope.spawn(|| Keys::in_file(&path).unwrap().sign(b"x"))).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert!(signatures.iter().all(|signature| *signature == signatures[0]));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no draft is left");

        // A new key above the old one: both verify, the new one signs.
        let old = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("a new secret, long enough\n\n{old}")).unwrap();
        let keys = Keys::in_file(&path).unwrap();
        assert_eq!(keys.verify(b"x", &signatures[0]), Some(false));
        assert_eq!(keys.verify(b"x", &keys.sign(b"x")), Some(true));
        assert_eq!(keys.verify(b"y", &signatures[0]), None);

        fs::write(&path, "\n").unwrap();
        let why = Keys::in_file(&path).unwrap_err().to_string();
        assert!(why.contains("session.key") && why.contains("no key"), "{why}");
    }
}
