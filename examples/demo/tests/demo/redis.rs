//! The service on Redis, with real servers: `cargo test -p demo --features live --test demo redis::`

mod processes;
mod reach;
mod server;
mod sessions;
