//! The Redis engine passes the suite on each form that Redis has: every case is a test here, four times.
//!
//! `bash .ci/redis cargo test -p butterfly-queue --features live` starts the servers and tells where they are.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

#[path = "../redis/server.rs"]
#[expect(dead_code, reason = "the other tests use all of it")]
mod server;

use std::env;
use std::sync::{Arc, Mutex};

use butterfly_core::ReqId;
use butterfly_queue::conformance::{Place, Subject};
use butterfly_queue::engine::{Engine, EngineFuture};
use butterfly_queue::redis::RedisEngine;
use server::Server;

async fn connect(url: &str) -> Result<Arc<dyn Engine>, butterfly_queue::EngineError> {
    Ok(Arc::new(RedisEngine::connect(url.parse()?).await?))
}

/// A server for each case, which keeps every command on disk before it answers; a crash kills it.
struct Standalone;

impl Subject for Standalone {
    fn fresh(&self) -> EngineFuture<'_, Box<dyn Place>> {
        Box::pin(async {
            let server = Server::start(&["--appendonly", "yes", "--appendfsync", "always"]);
            Ok(Box::new(Own(Mutex::new(server))) as Box<dyn Place>)
        })
    }
}

struct Own(Mutex<Server>);

impl Place for Own {
    fn open(&self) -> EngineFuture<'_, Arc<dyn Engine>> {
        let url = self.0.lock().unwrap().url();
        Box::pin(async move { connect(&url).await })
    }

    fn crash(&self) -> EngineFuture<'_, ()> {
        Box::pin(async {
            let mut server = self.0.lock().unwrap();
            server.kill();
            server.run();
            Ok(())
        })
    }
}

/// A server that all cases share, each under a prefix of its own.
struct Shared {
    variable: &'static str,
    wakes: bool,
}

impl Subject for Shared {
    fn fresh(&self) -> EngineFuture<'_, Box<dyn Place>> {
        let url = env::var(self.variable)
            .unwrap_or_else(|_| panic!("{} is not set: bash .ci/redis COMMAND sets it", self.variable));
        let sign = if url.contains('?') { '&' } else { '?' };
        let url = format!("{url}{sign}prefix=t{}", ReqId::new());
        Box::pin(async { Ok(Box::new(Prefix(url)) as Box<dyn Place>) })
    }

    fn wakes(&self) -> bool {
        self.wakes
    }
}

struct Prefix(String);

impl Place for Prefix {
    fn open(&self) -> EngineFuture<'_, Arc<dyn Engine>> {
        Box::pin(async { connect(&self.0).await })
    }
}

mod standalone {
    butterfly_queue::conformance!(super::Standalone);
}

mod cluster {
    const CLUSTER: super::Shared = super::Shared { variable: "QUEUE_TEST_REDIS_CLUSTER", wakes: true };
    butterfly_queue::conformance!(CLUSTER);
}

mod sentinel {
    const SENTINEL: super::Shared = super::Shared { variable: "QUEUE_TEST_REDIS_SENTINEL", wakes: true };
    butterfly_queue::conformance!(SENTINEL);
}

mod proxy {
    const PROXY: super::Shared = super::Shared { variable: "QUEUE_TEST_REDIS_PROXY", wakes: false };
    butterfly_queue::conformance!(PROXY);
}
