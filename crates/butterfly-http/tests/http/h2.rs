//! HTTP/2 with prior knowledge, spoken by hyper's client.

use std::time::Duration;

use butterfly_core::Body;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::handlers::streams::pattern;
use crate::support::{DEADLINE, TestServer, get};

/// A connection, and what drives it until it ends.
struct Client {
    send: SendRequest<Body>,
    end: tokio::task::JoinHandle<hyper::Result<()>>,
}

impl Client {
    async fn connect(server: &TestServer) -> Self {
        let stream = TcpStream::connect(server.address).await.unwrap();
        let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
        let (send, connection) = handshake.unwrap();
        Self { send, end: tokio::spawn(connection) }
    }

    fn call(
        &self,
        request: Request<Body>,
    ) -> impl Future<Output = hyper::Result<Response<Incoming>>> + use<> {
        let mut send = self.send.clone();
        async move { timeout(DEADLINE, send.send_request(request)).await.unwrap() }
    }

    async fn get(&self, target: &str) -> (Response<()>, String) {
        whole(self.call(asking("GET", target, Body::empty())).await.unwrap()).await
    }
}

fn asking(method: &str, target: &str, body: Body) -> Request<Body> {
    let uri = format!("http://test{target}");
    Request::builder().method(method).uri(uri).body(body).unwrap()
}

async fn whole(response: Response<Incoming>) -> (Response<()>, String) {
    let (parts, body) = response.into_parts();
    let bytes = timeout(DEADLINE, body.collect()).await.unwrap().unwrap().to_bytes();
    (Response::from_parts(parts, ()), String::from_utf8(bytes.to_vec()).unwrap())
}

fn header<'a, T>(response: &'a Response<T>, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(test);
}

#[test]
fn calls_are_answered_as_in_http_1() {
    run(async {
        let server = TestServer::start();
        let client = Client::connect(&server).await;
        let (answer, body) = client.get("/demo/hello?str_info=x&times=2").await;
        assert_eq!((answer.status().as_u16(), body.as_str()), (200, r#"{"stat":"OK","str_info":"xx"}"#));
        assert_eq!(header(&answer, "content-type"), Some("application/json"));
        assert_eq!(header(&answer, "content-length"), Some("29"));
        for name in ["butterfly", "x-cost", "date"] {
            assert!(answer.headers().contains_key(name), "{name}");
        }
        let columns = server.lines.columns(header(&answer, "x-reqid").unwrap());
        assert_eq!(&columns[3], "127.0.0.1");
        assert_eq!(&columns[6], "/demo/hello");
        let (answer, body) = client.get("/demo/hello").await;
        assert_eq!(body, r#"{"stat":"ERR_BAD_PARAMS","params":{"str_info":"missing"}}"#);
        assert_eq!(header(&answer, "x-reason"), Some("Param check failed"));
        assert_eq!(client.get("/no/such").await.0.status(), 400);
        assert_eq!(client.get("/demo/bare?code=204").await.0.headers().get("content-length"), None);
        assert_eq!(client.get("/demo/status?code=777").await.0.status().as_u16(), 777);
        assert_eq!(client.get("/errors/api?how=panic").await.1, r#"{"stat":"ERR_SERVER_EXCEPTION"}"#);
        let json = Body::from(br#"{"str_info":"json"}"#.to_vec());
        let answer = client.call(asking("POST", "/demo/hello", json)).await.unwrap();
        assert_eq!(whole(answer).await.1, r#"{"stat":"OK","str_info":"json"}"#);
        let answer = client.call(asking("HEAD", "/demo/page", Body::empty())).await.unwrap();
        assert_eq!(header(&answer, "content-length"), Some("9"));
        assert_eq!(whole(answer).await.1, "");
    });
}

#[test]
fn the_preface_may_come_byte_by_byte() {
    let server = TestServer::start();
    let mut client = server.connect();
    for byte in b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" {
        client.send([*byte]);
        server.assert_alive();
    }
    // An empty SETTINGS frame; the server's own begins with its length, then type 4.
    client.send(b"\0\0\0\x04\0\0\0\0\0");
    let frame = client.bytes(9);
    assert_eq!(frame[3], 4, "{frame:?}");
}

#[test]
fn streams_run_beside_each_other() {
    run(async {
        let server = TestServer::start();
        let client = Client::connect(&server).await;
        let slow: Vec<_> = (0..50)
            .map(|index| client.call(asking("GET", &format!("/demo/wait?name=s{index}"), Body::empty())))
            .map(tokio::spawn)
            .collect();
        for index in 0..50 {
            server.events().expect(&format!("s{index}"));
        }
        assert_eq!(client.get("/demo/ping").await.1, r#"{"stat":"OK"}"#, "fifty calls hold nobody up");
        server.gate().open(50);
        for (index, call) in slow.into_iter().enumerate() {
            let body = whole(call.await.unwrap().unwrap()).await.1;
            assert_eq!(body, format!(r#"{{"stat":"OK","str_info":"s{index}"}}"#));
        }
    });
}

#[test]
fn large_bodies_pass_both_ways() {
    run(async {
        const BYTES: usize = 16 << 20;
        let server = TestServer::start();
        let client = Client::connect(&server).await;
        let body = Body::from(pattern(0, BYTES));
        let answer = client.call(asking("POST", "/streams/take", body)).await.unwrap();
        let json: serde_json::Value = serde_json::from_str(&whole(answer).await.1).unwrap();
        assert_eq!((&json["bytes"], &json["intact"]), (&BYTES.into(), &true.into()));
        let target = format!("/streams/give?bytes={BYTES}");
        let answer = client.call(asking("GET", &target, Body::empty())).await.unwrap();
        assert_eq!(header(&answer, "content-length"), Some(BYTES.to_string().as_str()));
        let bytes = timeout(DEADLINE, answer.into_body().collect()).await.unwrap().unwrap().to_bytes();
        assert!(bytes == pattern(0, BYTES));
        let answer = client.call(asking("GET", "/streams/chunks?bytes=10&how=breaks", Body::empty())).await;
        // The reset may overtake the head.
        let cut = match answer {
            Ok(answer) => answer.into_body().collect().await.is_err(),
            Err(_) => true,
        };
        assert!(cut, "what is cut must not look whole");
        assert_eq!(client.get("/demo/ping").await.0.status(), 200);
    });
}

#[test]
fn limits_hold() {
    run(async {
        let server = TestServer::with(|setup| {
            setup.options.max_body = 100;
            setup.options.max_upload = 200;
        });
        let client = Client::connect(&server).await;
        let too_large = r#"{"stat":"ERR_BODY_TOO_LARGE","reason":"Body is larger than"#;
        for (target, bytes) in
            [("/demo/hello", 101), ("/errors/upload?how=read", 201), ("/demo/hello", 1 << 24)]
        {
            let body = Body::from(vec![b' '; bytes]);
            let answer = client.call(asking("POST", target, body)).await.unwrap();
            assert_eq!(answer.status(), 413, "{target}");
            assert!(whole(answer).await.1.starts_with(too_large), "{target}");
        }
        let mut request = asking("GET", "/demo/ping", Body::empty());
        request.headers_mut().insert("x-long", "x".repeat(40_000).parse().unwrap());
        match client.call(request).await {
            Ok(answer) => assert_eq!(answer.status(), 431),
            Err(error) => assert!(error.is_user() || error.to_string().contains("http2"), "{error}"),
        }
        let client = Client::connect(&server).await;
        assert_eq!(client.get("/demo/ping").await.0.status(), 200);
    });
}

#[test]
fn calls_time_out_and_so_do_bodies() {
    run(async {
        let server = TestServer::with(|setup| {
            setup.options.request_timeout = Duration::from_millis(50);
            setup.options.body_timeout = Duration::from_millis(50);
        });
        let client = Client::connect(&server).await;
        let (answer, body) = client.get("/demo/wait").await;
        assert_eq!((answer.status().as_u16(), body.as_str()), (200, r#"{"stat":"ERR_TIMEOUT"}"#));
        server.events().expect("in gone");
        let answer = client.call(asking("POST", "/errors/upload?how=read", never())).await.unwrap();
        let still = r#"{"stat":"ERR_BAD_PARAMS","reason":"the body stood still for too long"}"#;
        assert_eq!(whole(answer).await.1, still);
        assert_eq!(client.get("/demo/ping").await.0.status(), 200);
    });
}

/// A body of which nothing ever comes.
fn never() -> Body {
    struct Never;
    impl futures_core::Stream for Never {
        type Item = std::io::Result<bytes::Bytes>;

        fn poll_next(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Self::Item>> {
            std::task::Poll::Pending
        }
    }
    Body::stream(Never, None)
}

#[test]
fn a_call_that_the_client_cancels_is_given_up() {
    run(async {
        let server = TestServer::start();
        let client = Client::connect(&server).await;
        let call = tokio::spawn(client.call(asking("GET", "/demo/wait", Body::empty())));
        server.events().expect("in");
        call.abort();
        server.events().expect("in gone");
        assert_eq!(client.get("/demo/ping").await.0.status(), 200);
    });
}

#[test]
fn the_stop_lets_calls_end() {
    run(async {
        let mut server = TestServer::start();
        let (client, idle) = (Client::connect(&server).await, Client::connect(&server).await);
        idle.get("/demo/ping").await;
        let call = tokio::spawn(client.call(asking("GET", "/demo/wait", Body::empty())));
        server.events().expect("in");
        server.begin_stop();
        timeout(DEADLINE, idle.end).await.unwrap().unwrap().unwrap();
        assert!(!server.app.ready());
        server.gate().open(1);
        let answer = call.await.unwrap().unwrap();
        assert_eq!(whole(answer).await.1, r#"{"stat":"OK","str_info":"in"}"#);
        timeout(DEADLINE, client.end).await.unwrap().unwrap().unwrap();
        assert_eq!(tokio::task::spawn_blocking(move || server.stopped()).await.unwrap(), 0);
    });
}

#[test]
fn garbage_after_the_preface_ends_the_connection() {
    let server = TestServer::start();
    let mut client = server.connect();
    client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").send([b'x'; 1000]);
    client.rest();
    assert_eq!(server.ask(get("/demo/ping")).status, 200);
}
