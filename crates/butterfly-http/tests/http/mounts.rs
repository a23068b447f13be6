//! tower around the door and beside it: the door as a service, layers, a whole axum router below a prefix.

use std::sync::Arc;
use std::task::{Context, Poll};

use axum::routing::{get as on_get, post};
use butterfly_core::{App, Body, Registry};
use butterfly_http::{Door, DoorService, Options, Peer, chain, layered};
use http::{Request, Response};
use http_body_util::BodyExt as _;
use tower_layer::Layer;
use tower_service::Service;

use crate::support::{Lines, TestServer, get, post_json, request};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

#[test]
fn the_door_is_a_service() {
    let lines = Arc::new(Lines::default());
    let app = Arc::new(App::new(Registry::collect().unwrap()));
    let mut service = DoorService(Arc::new(Door::new(app, Options::default(), lines.clone())));
    block_on(async {
        let mut request =
            Request::post("/demo/hello?times=2").body(Body::from(r#"{"str_info":"x"}"#)).unwrap();
        request.extensions_mut().insert(Peer("192.0.2.1:7".parse().unwrap()));
        let response = service.call(request).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-length"], "29");
        let reqid = response.headers()["x-reqid"].to_str().unwrap().to_owned();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, r#"{"stat":"OK","str_info":"xx"}"#);
        assert_eq!(lines.columns(&reqid)[3], "192.0.2.1");
        let missing = service.call(Request::get("/no/such").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(missing.status(), 400);
        assert_eq!(missing.headers()["x-reason"], "API Not Found");
    });
}

/// Adds a header to requests and to answers, and refuses one path.
#[derive(Clone)]
struct Stamp;

#[derive(Clone)]
struct Stamped<S>(S);

impl<S> Layer<S> for Stamp {
    type Service = Stamped<S>;

    fn layer(&self, inner: S) -> Stamped<S> {
        Stamped(inner)
    }
}

impl<S> Service<Request<Body>> for Stamped<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        if request.uri().path() == "/demo/only" {
            let mut refused = Response::new(Body::from("not for you"));
            *refused.status_mut() = http::StatusCode::UNAUTHORIZED;
            return Box::pin(async { Ok(refused) });
        }
        assert!(request.extensions().get::<Peer>().is_some(), "layers know the peer");
        request.headers_mut().insert("cookie", "a=layered".parse().unwrap());
        let answered = self.0.call(request);
        Box::pin(async move {
            let mut response = answered.await?;
            response.headers_mut().append("x-layer", "1".parse().unwrap());
            Ok(response)
        })
    }
}

fn layered_server() -> TestServer {
    TestServer::with(|setup| setup.layer = Some(Box::new(|door| layered(chain(DoorService(door)), Stamp))))
}

#[test]
fn layers_stand_around_each_other() {
    let server = TestServer::with(|setup| {
        setup.layer = Some(Box::new(|door| layered(layered(chain(DoorService(door)), Stamp), Stamp)));
    });
    let answer = server.get("/demo/cookies");
    let stamps = answer.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("x-layer")).count();
    assert_eq!(stamps, 2, "{answer:?}");
}

#[test]
fn a_layer_sees_requests_and_answers_of_http_1() {
    let server = layered_server();
    let mut client = server.connect();
    let answer = client.ask(get("/demo/cookies"));
    assert_eq!(answer.header("x-layer"), Some("1"));
    assert_eq!(answer.json()["data"][0], "layered");
    assert_eq!(server.lines.columns(answer.reqid())[3], "127.0.0.1");
    let refused = client.ask(get("/demo/only"));
    assert_eq!((refused.status, refused.text()), (401, "not for you"));
    let answer = client.ask(post_json("/demo/hello", r#"{"str_info":"x"}"#));
    assert_eq!(answer.text(), r#"{"stat":"OK","str_info":"x"}"#);
    let answer = client.ask(get("/streams/chunks?bytes=100000"));
    assert_eq!(answer.body.len(), 100_000);
    let head = client.send(request("HEAD", "/demo/page", &[], b"")).head();
    assert_eq!((head.header("content-length"), head.header("x-layer")), (Some("9"), Some("1")));
    let large = request("POST", "/demo/hello", &[("Content-Length", "99999999")], b"");
    let refused = client.ask(large);
    assert_eq!((refused.status, refused.header("connection")), (413, Some("close")));
}

#[test]
fn a_layer_sees_requests_of_http_2() {
    let server = layered_server();
    let answer = block_on(async {
        let stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
        let io = hyper_util::rt::TokioIo::new(stream);
        let executor = hyper_util::rt::TokioExecutor::new();
        let (mut send, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
        tokio::spawn(connection);
        let request = Request::get("http://test/demo/cookies").body(Body::empty()).unwrap();
        send.send_request(request).await.unwrap()
    });
    assert_eq!(answer.headers()["x-layer"], "1");
}

#[test]
fn what_the_types_of_http_cannot_carry_is_refused() {
    let server = layered_server();
    let mut client = server.connect();
    let answer = client.ask(get("/demo/<ping>"));
    assert_eq!((answer.status, answer.header("connection")), (400, Some("close")));
    client.expect_closed();
}

fn router() -> axum::Router {
    axum::Router::new()
        .route("/pages/hello", on_get(|| async { "from axum" }))
        .route("/pages/size", post(|body: String| async move { body.len().to_string() }))
        .route("/demo/ping", on_get(|| async { "never seen" }))
        .route("/demo/more", on_get(|| async { "more" }))
}

fn mounted(prefix: &'static str) -> TestServer {
    TestServer::with(|setup| setup.mounts.push((prefix.to_owned(), chain(router()))))
}

#[test]
fn an_axum_router_answers_below_its_prefix() {
    let server = mounted("/pages");
    let mut client = server.connect();
    let answer = client.ask(get("/pages/hello"));
    assert_eq!((answer.status, answer.text()), (200, "from axum"));
    let columns = server.lines.columns(answer.reqid());
    assert_eq!((columns[5].as_str(), columns[6].as_str()), ("GET", "/pages/hello"));
    assert_eq!(server.lines.column(answer.reqid(), "stat"), "200");
    assert_eq!(client.ask(request("POST", "/pages/size", &[], &[b'x'; 5000])).text(), "5000");
    assert_eq!(client.ask(get("/pages/none")).status, 404);
    assert_eq!(client.ask(get("/pagesfoo")).header("x-reason"), Some("API Not Found"));
    assert_eq!(client.ask(get("/demo/more")).header("x-reason"), Some("API Not Found"));
    assert_eq!(
        client.send(request("HEAD", "/pages/hello", &[], b"")).head().header("content-length"),
        Some("9")
    );
    assert_eq!(client.ask(get("/demo/ping")).text(), r#"{"stat":"OK"}"#);
}

#[test]
fn handlers_go_first_also_before_a_router_at_the_root() {
    let server = mounted("/");
    let text = |target: &str| server.get(target).text().to_owned();
    assert_eq!(text("/demo/ping"), r#"{"stat":"OK"}"#);
    assert_eq!(text("/demo/more"), "more");
    assert_eq!(text("/pages/hello"), "from axum");
    assert_eq!(server.get("/no/such").status, 404);
}

#[test]
fn a_router_answers_over_http_2_and_behind_layers_too() {
    let server = TestServer::with(|setup| {
        setup.mounts.push(("pages".to_owned(), chain(router())));
        setup.layer = Some(Box::new(|door| layered(chain(DoorService(door)), Stamp)));
    });
    let answer = server.get("/pages/hello");
    assert_eq!((answer.text(), answer.header("x-layer")), ("from axum", Some("1")));
    assert_eq!(server.lines.columns(answer.reqid())[6], "/pages/hello");
}
