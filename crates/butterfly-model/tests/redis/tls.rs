//! Redis over TLS, with an authority, certificates and servers of the tests' own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use butterfly_model::redis::{Redis, RedisError, Script, cmd, text};
use tempfile::TempDir;

/// An authority: `ca.pem`, and the certificates `server` and `client` with their keys.
fn authority() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
    let by_ca = "-CA ca.pem -CAkey ca.key -addext basicConstraints=CA:FALSE";
    for words in [
        format!("req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=authority"),
        format!(
            "req -x509 {key} {by_ca} -keyout server.key -out server.pem -subj /CN=server -addext subjectAltName=IP:127.0.0.1"
        ),
        format!("req -x509 {key} {by_ca} -keyout client.key -out client.pem -subj /CN=client"),
    ] {
        let ran = Command::new("openssl").args(words.split(' ')).current_dir(folder.path()).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    }
    folder
}

/// A server that speaks TLS at its port; dropped, it is gone.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(program: &str, authority: &Path, more: &[&str]) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut child = Command::new(program)
            .current_dir(authority)
            .args(more.iter().take_while(|word| !word.starts_with("--")))
            .args(["--bind", "127.0.0.1", "--port", "0", "--tls-port", &port.to_string()])
            .args([
                "--tls-ca-cert-file",
                "ca.pem",
                "--tls-cert-file",
                "server.pem",
                "--tls-key-file",
                "server.key",
            ])
            .args(more.iter().skip_while(|word| !word.starts_with("--")))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let ready =
            |line: String| line.contains("Ready to accept connections") || line.contains("Sentinel ID is");
        assert!(lines.any(ready), "{program} ended at its start");
        // Whoever writes to a pipe that nobody reads is stopped some day.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, port }
    }

    fn redis(authority: &Path, more: &[&str]) -> Self {
        Self::start("redis-server", authority, &[&["--save", ""], more].concat())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The settings of an address: whom we trust, and who we are.
fn files(authority: &Path, names: &[(&str, &str)]) -> String {
    let setting = |(name, file): &(&str, &str)| format!("{name}={}", authority.join(file).display());
    names.iter().map(setting).collect::<Vec<_>>().join("&")
}

const TRUST: (&str, &str) = ("ssl_ca_certs", "ca.pem");
const WE_ARE: [(&str, &str); 3] = [TRUST, ("ssl_certfile", "client.pem"), ("ssl_keyfile", "client.key")];

async fn refused(address: &str) -> String {
    let error = Redis::open(address).unwrap().command(&cmd("PING")).await.unwrap_err();
    assert!(matches!(error, RedisError::Misconfigured(_)), "{error:?}");
    error.to_string()
}

#[tokio::test]
async fn whoever_trusts_the_authority_is_served() {
    let authority = authority();
    let server = Server::redis(authority.path(), &["--tls-auth-clients", "no"]);
    let settings = files(authority.path(), &[TRUST]);
    let redis = Redis::open(&format!("rediss://127.0.0.1:{}?{settings}", server.port)).unwrap();
    redis.command(cmd("SET").arg("a").arg("b")).await.unwrap();
    let script = Script::new("return redis.call('GET', KEYS[1])");
    assert_eq!(text(redis.run(&script, "a", |_| {}).await.unwrap()).unwrap(), "b");
    // What waits, and what listens, have connections of their own.
    let mut waiting = redis.waiting().await.unwrap();
    redis.command(cmd("RPUSH").arg("list").arg("c")).await.unwrap();
    let popped = waiting.command(cmd("BLPOP").arg("list").arg(5), Duration::from_secs(5)).await.unwrap();
    assert!(format!("{popped:?}").contains('c'), "{popped:?}");
    let mut listening = redis.subscriber(0).await.unwrap().get_async_pubsub().await.unwrap();
    listening.subscribe("news").await.unwrap();
    assert_eq!(redis.query::<u32>(cmd("PUBLISH").arg("news").arg("d")).await.unwrap(), 1);
}

#[tokio::test]
async fn who_is_not_trusted_is_not_spoken_to() {
    let authority = authority();
    let server = Server::redis(authority.path(), &["--tls-auth-clients", "no"]);
    let trust = files(authority.path(), &[TRUST]);
    let port = server.port;
    let foreign = refused(&format!("rediss://127.0.0.1:{port}")).await;
    assert!(foreign.contains("is not trusted") && foreign.contains("ssl_ca_certs"), "{foreign}");
    // The certificate is another name's.
    let other_name = refused(&format!("rediss://localhost:{port}?{trust}")).await;
    assert!(other_name.contains("is not trusted"), "{other_name}");
    let missing = Redis::open("rediss://127.0.0.1?ssl_ca_certs=/none/ca.pem").unwrap_err().to_string();
    assert!(missing.contains("/none/ca.pem"), "{missing}");
    let no_pem = files(authority.path(), &[("ssl_ca_certs", "notes.txt")]);
    std::fs::write(authority.path().join("notes.txt"), "no certificate").unwrap();
    let no_pem = Redis::open(&format!("rediss://127.0.0.1?{no_pem}")).unwrap_err().to_string();
    assert!(no_pem.contains("notes.txt") && no_pem.contains("PEM"), "{no_pem}");
}

#[tokio::test]
async fn a_server_that_asks_who_we_are_is_told() {
    let authority = authority();
    let server = Server::redis(authority.path(), &["--tls-auth-clients", "yes"]);
    let [nobody, we] = [&WE_ARE[..1], &WE_ARE[..]].map(|names| files(authority.path(), names));
    let error = refused(&format!("rediss://127.0.0.1:{}?{nobody}", server.port)).await;
    assert!(error.contains("ssl_certfile"), "{error}");
    let redis = Redis::open(&format!("rediss://127.0.0.1:{}?{we}", server.port)).unwrap();
    redis.command(&cmd("PING")).await.unwrap();
}

#[tokio::test]
async fn a_cluster_and_sentinels_speak_tls_too() {
    let authority = authority();
    let we = files(authority.path(), &WE_ARE);
    let node = Server::redis(authority.path(), &["--cluster-enabled", "yes", "--tls-cluster", "yes"]);
    let one = Redis::open(&format!("rediss://127.0.0.1:{}?{we}", node.port)).unwrap();
    one.command(cmd("CLUSTER").arg("ADDSLOTSRANGE").arg(0).arg(16383)).await.unwrap();
    while !one.query::<String>(cmd("CLUSTER").arg("INFO")).await.unwrap().contains("cluster_state:ok") {
        tokio::task::yield_now().await;
    }
    let cluster = Redis::open(&format!("rediss+cluster://127.0.0.1:{}?{we}", node.port)).unwrap();
    cluster.command(cmd("SET").arg("a").arg("b")).await.unwrap();

    let master = Server::redis(authority.path(), &[]);
    let conf = format!("sentinel monitor main 127.0.0.1 {} 1\n", master.port);
    std::fs::write(authority.path().join("sentinel.conf"), conf).unwrap();
    let sentinel =
        Server::start("redis-sentinel", authority.path(), &["sentinel.conf", "--tls-replication", "yes"]);
    let redis = Redis::open(&format!("rediss+sentinel://127.0.0.1:{}/main?{we}", sentinel.port)).unwrap();
    redis.command(cmd("SET").arg("a").arg("b")).await.unwrap();
}
