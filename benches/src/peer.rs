//! The peers: axum and actix-web answering the demo's questions as plainly as each can. No log, no ids, no
//! limits.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use anyhow::Result;
use bytes::Bytes;
use clap::ValueEnum;
use futures_core::Stream;
use serde::{Deserialize, Serialize};

/// Which peer to be.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Peer {
    Axum,
    Actix,
}

/// Serves on 127.0.0.1 until killed.
pub(crate) fn serve(peer: Peer, port: u16, threads: usize) -> Result<()> {
    // A peer whose bench was killed with no chance to clean up goes with it.
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    match peer {
        Peer::Axum => axum_peer::serve(port, threads),
        Peer::Actix => actix_peer::serve(port, threads),
    }
}

#[derive(Deserialize)]
struct HelloQuery {
    str_info: String,
}

#[derive(Serialize)]
struct Hello {
    stat: &'static str,
    str_info: String,
}

#[derive(Deserialize)]
struct ZerosQuery {
    size: u64,
}

#[derive(Serialize)]
struct Uploaded {
    stat: &'static str,
    size: u64,
}

fn hello(query: HelloQuery) -> Hello {
    Hello { stat: "OK", str_info: query.str_info }
}

/// A body of so many zero bytes.
struct Zeros(u64);

impl Zeros {
    fn next(&mut self) -> Option<Bytes> {
        static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];
        let piece = usize::try_from(self.0).unwrap_or(usize::MAX).min(ZEROS.len());
        self.0 -= piece as u64;
        (piece > 0).then(|| Bytes::from_static(&ZEROS[..piece]))
    }
}

mod axum_peer {
    use axum::body::Body;
    use axum::extract::Query;
    use axum::routing::{get, post};
    use axum::serve::ListenerExt;
    use axum::{Json, Router};
    use http_body::{Frame, SizeHint};
    use http_body_util::BodyExt;

    use super::*;

    pub(super) fn serve(port: u16, threads: usize) -> Result<()> {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(threads).enable_all().build()?.block_on(async {
            let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
            let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
            Ok(axum::serve(listener, router()).await?)
        })
    }

    fn router() -> Router {
        Router::new()
            .route("/demo_api/hello", get(async |Query(query)| Json(hello(query))))
            .route("/demo_upload/raw", post(upload))
            .route("/demo_download/zeros", get(async |Query(q): Query<ZerosQuery>| Body::new(Zeros(q.size))))
    }

    async fn upload(mut body: Body) -> Json<Uploaded> {
        let mut size = 0;
        while let Some(Ok(frame)) = body.frame().await {
            size += frame.data_ref().map_or(0, Bytes::len) as u64;
        }
        Json(Uploaded { stat: "OK", size })
    }

    impl http_body::Body for Zeros {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Ready(self.next().map(|piece| Ok(Frame::data(piece))))
        }

        fn size_hint(&self) -> SizeHint {
            SizeHint::with_exact(self.0)
        }
    }
}

mod actix_peer {
    use actix_web::body::{BodySize, MessageBody};
    use actix_web::web::{self, Json, Payload, Query};
    use actix_web::{App, HttpResponse, HttpServer};

    use super::*;

    pub(super) fn serve(port: u16, threads: usize) -> Result<()> {
        let server = HttpServer::new(|| App::new().configure(routes)).workers(threads).disable_signals();
        let server = server.bind(("127.0.0.1", port))?;
        Ok(actix_web::rt::System::new().block_on(server.run())?)
    }

    fn routes(config: &mut web::ServiceConfig) {
        config
            .route("/demo_api/hello", web::get().to(async |Query(query)| Json(hello(query))))
            .route("/demo_upload/raw", web::post().to(upload))
            .route("/demo_download/zeros", web::get().to(zeros));
    }

    async fn upload(mut payload: Payload) -> Json<Uploaded> {
        let mut size = 0;
        while let Some(Ok(piece)) = poll_fn(|context| Pin::new(&mut payload).poll_next(context)).await {
            size += piece.len() as u64;
        }
        Json(Uploaded { stat: "OK", size })
    }

    async fn zeros(Query(query): Query<ZerosQuery>) -> HttpResponse {
        HttpResponse::Ok().body(Zeros(query.size))
    }

    impl MessageBody for Zeros {
        type Error = Infallible;

        fn size(&self) -> BodySize {
            BodySize::Sized(self.0)
        }

        fn poll_next(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Bytes, Infallible>>> {
            Poll::Ready(self.next().map(Ok))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_end_after_exactly_their_size() {
        for size in [0, 1, 64 * 1024, 64 * 1024 + 1, 1 << 20] {
            let mut zeros = Zeros(size);
            let total: usize = std::iter::from_fn(|| zeros.next()).map(|piece| piece.len()).sum();
            assert_eq!(total as u64, size);
        }
    }
}
