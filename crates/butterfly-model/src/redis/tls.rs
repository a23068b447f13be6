//! TLS on the way to Redis: whom we trust, and who we are.

#[cfg(feature = "redis-tls")]
use std::path::Path;
use std::path::PathBuf;

#[cfg(feature = "redis-tls")]
use redis::{ClientTlsConfig, TlsCertificates};

#[cfg(feature = "redis-tls")]
use super::RedisError;

/// TLS on the way to Redis. Files are in PEM form, and read when a [`Redis`](super::Redis) is made. The server's name is
/// always checked: there is no way to trust just anybody.
///
/// # Example
///
/// ```
/// use butterfly_model::redis::{RedisOptions, Tls};
///
/// let mut options = RedisOptions::new("redis.example.com", 6380);
/// options.tls = Some(Tls { ca: Some("/etc/shop/ca.pem".into()), ..Tls::default() });
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// The certificates that are trusted; without it, those of the system.
    pub ca: Option<PathBuf>,
    /// Our own certificate, for a server that asks who we are.
    pub cert: Option<PathBuf>,
    /// The key of our own certificate.
    pub key: Option<PathBuf>,
}

impl Tls {
    /// What is wrong with it, if anything is.
    pub(super) fn flaw(&self) -> Option<&'static str> {
        if !cfg!(feature = "redis-tls") {
            return Some(
                "this program is built without TLS for Redis (build it with the feature redis-tls of butterfly)",
            );
        }
        (self.cert.is_some() != self.key.is_some()).then_some("ssl_certfile and ssl_keyfile go together")
    }

    /// What the client needs of the files.
    #[cfg(feature = "redis-tls")]
    pub(super) fn certificates(&self) -> Result<TlsCertificates, RedisError> {
        // A program that has chosen its cryptography keeps its choice.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client_tls = match (&self.cert, &self.key) {
            (Some(cert), Some(key)) => {
                Some(ClientTlsConfig { client_cert: read(cert)?, client_key: read(key)? })
            }
            _ => None,
        };
        Ok(TlsCertificates { client_tls, root_cert: self.ca.as_deref().map(read).transpose()? })
    }
}

#[cfg(feature = "redis-tls")]
fn read(file: &Path) -> Result<Vec<u8>, RedisError> {
    let of_file = |why: String| RedisError::Misconfigured(format!("{}: {why}", file.display()));
    let bytes = std::fs::read(file).map_err(|error| of_file(error.to_string()))?;
    // A file without a certificate would be taken for one that trusts nobody.
    if bytes.windows(11).any(|window| window == b"-----BEGIN ") {
        Ok(bytes)
    } else {
        Err(of_file("it holds nothing in PEM form".into()))
    }
}
