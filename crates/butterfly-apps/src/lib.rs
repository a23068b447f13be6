//! Placeholder.
/// x
pub fn link() {}
