//! Networks in CIDR form: who is believed when it says for whom it speaks.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use toml::Value;

use super::setting::{Setting, list_from_text, list_from_value, list_to_value};

/// An address (`10.1.2.3`) or a network (`10.0.0.0/8`, `fd00::/8`).
///
/// # Example
///
/// ```
/// use butterfly::config::Network;
///
/// let private: Network = "10.0.0.0/8".parse()?;
/// assert!(private.contains("10.9.8.7".parse().unwrap()));
/// assert!(!private.contains("192.0.2.1".parse().unwrap()));
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    /// All bits after the prefix are zero.
    address: IpAddr,
    prefix: u8,
}

impl Network {
    fn new(address: IpAddr, prefix: u8) -> Self {
        Self { address: masked(address, prefix), prefix }
    }

    /// Whether `address` lies in this network. An IPv4 address that came in over an IPv6 socket counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4() && masked(address, self.prefix) == self.address
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    // A shift by the full width would overflow, and means that no bit is kept.
    let cut = u32::from(width(address).saturating_sub(prefix));
    match address {
        IpAddr::V4(v4) => IpAddr::V4((v4.to_bits() & u32::MAX.checked_shl(cut).unwrap_or(0)).into()),
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & u128::MAX.checked_shl(cut).unwrap_or(0)).into()),
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (address, prefix) = match text.trim().split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text.trim(), None),
        };
        let address: IpAddr = address.parse().map_err(|_| "not an IP address")?;
        let Some(prefix) = prefix else {
            let address = address.to_canonical();
            return Ok(Self::new(address, width(address)));
        };
        let prefix = prefix.parse().ok().filter(|prefix| *prefix <= width(address));
        let prefix = prefix.ok_or_else(|| format!("the prefix is not 0 to {}", width(address)))?;
        Ok(Self::new(address, prefix))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.address)?;
        if self.prefix == width(self.address) { Ok(()) } else { write!(f, "/{}", self.prefix) }
    }
}

impl Setting for Network {
    const ACCEPTS: &'static str = "an address or network such as 10.0.0.0/8, 192.0.2.7 or fd00::/8";

    fn from_text(text: &str) -> Result<Self, String> {
        text.parse()
    }

    fn to_value(&self) -> Value {
        Value::String(self.to_string())
    }
}

impl Setting for Vec<Network> {
    const ACCEPTS: &'static str = "a list of addresses or networks such as 10.0.0.0/8, 192.0.2.7 or fd00::/8";

    fn from_text(text: &str) -> Result<Self, String> {
        list_from_text(text)
    }

    fn from_value(value: &Value) -> Result<Self, String> {
        list_from_value(value)
    }

    fn to_value(&self) -> Value {
        list_to_value(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(network: &str, address: &str) -> bool {
        network.parse::<Network>().unwrap().contains(address.parse().unwrap())
    }

    #[test]
    fn a_network_holds_its_addresses_and_no_others() {
        assert!(holds("192.0.2.7", "192.0.2.7"));
        assert!(!holds("192.0.2.7", "192.0.2.8"));
        assert!(holds("192.0.2.9/28", "192.0.2.15"));
        assert!(!holds("192.0.2.9/28", "192.0.2.16"));
        assert!(holds("0.0.0.0/0", "203.0.113.1"));
        assert!(!holds("0.0.0.0/0", "2001:db8::1"));
        assert!(holds("::/0", "2001:db8::1"));
        assert!(holds("fd00::/8", "fd12::3"));
        assert!(!holds("fd00::/8", "fe80::3"));
    }

    #[test]
    fn an_ipv4_peer_of_an_ipv6_socket_counts_as_ipv4() {
        assert!(holds("10.0.0.0/8", "::ffff:10.1.2.3"));
        assert!(holds("::ffff:10.1.2.3", "10.1.2.3"));
    }

    #[test]
    fn host_bits_are_dropped_and_the_text_reads_back() {
        let network: Network = "10.1.2.3/8".parse().unwrap();
        assert_eq!(network.to_string(), "10.0.0.0/8");
        assert_eq!(network.to_string().parse(), Ok(network));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in ["", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "::/129", "10.0.0/8", "host"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
