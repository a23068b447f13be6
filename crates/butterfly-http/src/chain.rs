//! Services around the door and beside it: tower layers, whole axum routers.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use butterfly_core::Body;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body as HttpBody;
use tower_layer::Layer;
use tower_service::Service;

/// A `tower::Service` of HTTP, whatever its types.
pub trait Chain: Send + Sync + fmt::Debug {
    /// Answers one request; a service that fails has answered 500.
    fn serve(&self, request: Request<Body>) -> Answering;
}

/// A request on its way to its answer.
pub type Answering = Pin<Box<dyn Future<Output = Response<Body>> + Send>>;

/// A [`Chain`] as a cloneable `tower::Service` again: what a layer goes around.
#[derive(Debug, Clone)]
pub struct AnyService(Arc<dyn Chain>);

impl From<Box<dyn Chain>> for AnyService {
    fn from(chain: Box<dyn Chain>) -> Self {
        Self(chain.into())
    }
}

impl Service<Request<Body>> for AnyService {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let answering = self.0.serve(request);
        Box::pin(async move { Ok(answering.await) })
    }
}

/// Makes any cloneable service of HTTP a [`Chain`].
#[must_use]
pub fn chain<S, B>(service: S) -> Box<dyn Chain>
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: fmt::Display + Send,
    S::Future: Send,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    Box::new(Erased(Mutex::new(service)))
}

/// Puts a tower layer around a chain: around the door, [`chain(DoorService(door))`](chain), or around another layer.
#[must_use]
pub fn layered<L, B>(inner: Box<dyn Chain>, layer: L) -> Box<dyn Chain>
where
    L: Layer<AnyService>,
    L::Service: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
    <L::Service as Service<Request<Body>>>::Error: fmt::Display + Send,
    <L::Service as Service<Request<Body>>>::Future: Send,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    chain(layer.layer(AnyService::from(inner)))
}

/// A service that is cloned for each request, as tower asks.
struct Erased<S>(Mutex<S>);

impl<S> fmt::Debug for Erased<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::any::type_name::<S>())
    }
}

impl<S, B> Chain for Erased<S>
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: fmt::Display + Send,
    S::Future: Send,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    fn serve(&self, request: Request<Body>) -> Answering {
        let mut service = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Box::pin(async move {
            let ready = std::future::poll_fn(|cx| service.poll_ready(cx)).await;
            let answered = match ready {
                Ok(()) => service.call(request).await,
                Err(error) => Err(error),
            };
            match answered {
                Ok(response) => response.map(from_http),
                Err(error) => {
                    tracing::error!(target: "butterfly::http", "a layer or mounted service failed: {error}");
                    let mut response = Response::new(Body::empty());
                    *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
                    response
                }
            }
        })
    }
}

/// Any HTTP body as a [`Body`]; trailers are dropped.
pub(crate) fn from_http<B>(body: B) -> Body
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let length = body.size_hint().exact();
    Body::stream(Pieces(Box::pin(body)), length)
}

struct Pieces<B>(Pin<Box<B>>);

impl<B> futures_core::Stream for Pieces<B>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Item = std::io::Result<Bytes>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        use std::task::Poll;
        loop {
            match std::task::ready!(self.0.as_mut().poll_frame(cx)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(std::io::Error::other(error)))),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
            }
        }
    }
}
