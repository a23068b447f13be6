//! The service on Redis, with real servers: `cargo test -p demo --features live --test demo redis::`

mod reach;
mod server;
