//! HTTP/2 without TLS ("prior knowledge"), by hyper.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use butterfly_core::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tower_service::Service;

use crate::chain::from_http;
use crate::door::Door;
use crate::drain::Drain;
use crate::h1::Rewound;
use crate::service::{DoorService, Peer};

/// Calls that one connection may make at once.
const STREAMS: u32 = 128;

/// Serves an HTTP/2 connection to its end.
pub(crate) async fn serve(door: Arc<Door>, stream: Rewound, peer: SocketAddr, drain: Arc<Drain>) {
    let head_bytes = u32::try_from(door.options.head.max_bytes).unwrap_or(u32::MAX);
    let service = service_fn(|request| answer(door.clone(), request, peer));
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(head_bytes)
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(door.options.idle_timeout.min(Duration::from_secs(20)))
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let begun = drain.begun();
    tokio::select! {
        result = connection.as_mut() => return note(result),
        () = begun, if !drain.stopping() => {}
        () = std::future::ready(()), if drain.stopping() => {}
    }
    connection.as_mut().graceful_shutdown();
    note(connection.await);
}

fn note(result: hyper::Result<()>) {
    if let Err(error) = result {
        tracing::debug!(target: "butterfly::http", "an HTTP/2 connection ended: {error}");
    }
}

async fn answer(
    door: Arc<Door>,
    request: Request<Incoming>,
    peer: SocketAddr,
) -> Result<Response<Body>, Infallible> {
    let mut request = request.map(from_http);
    request.extensions_mut().insert(Peer(peer));
    match &door.chain {
        Some(chain) => Ok(chain.serve(request).await),
        None => DoorService(door).call(request).await,
    }
}
