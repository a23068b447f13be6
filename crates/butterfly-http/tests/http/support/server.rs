//! A server with a thread and a runtime of its own; it stops with the test.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use butterfly_core::{App, Later, Registry, Replies};
use butterfly_http::{Chain, Door, Options, Server};
use tokio::sync::oneshot;

use super::{Answer, Client, Events, Gate, Lines};
use crate::handlers::streams::Given;

/// What a test changes before the server starts.
pub(crate) struct Setup {
    pub(crate) options: Options,
    pub(crate) lines: Lines,
    pub(crate) mounts: Vec<(String, Box<dyn Chain>)>,
    pub(crate) layer: Option<Layered>,
    pub(crate) later: Option<Box<dyn Later>>,
    pub(crate) replies: Option<Box<dyn Replies>>,
    /// All connections in one thread: what was sent first is served first.
    pub(crate) single: bool,
}

/// Makes the chain around a door.
type Layered = Box<dyn FnOnce(Arc<Door>) -> Box<dyn Chain>>;

pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) app: Arc<App>,
    pub(crate) lines: Arc<Lines>,
    /// The folder of the files that handlers send.
    pub(crate) folder: PathBuf,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<usize>>,
    _dir: tempfile::TempDir,
}

/// The folder of a server, as handlers see it.
pub(crate) struct Folder(pub(crate) PathBuf);

impl TestServer {
    pub(crate) fn start() -> Self {
        Self::with(|_| ())
    }

    pub(crate) fn with(change: impl FnOnce(&mut Setup)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut setup = Setup {
            options: Options::default(),
            lines: Lines::default(),
            mounts: Vec::new(),
            layer: None,
            later: None,
            replies: None,
            single: false,
        };
        setup.options.static_dir = dir.path().join("static");
        change(&mut setup);
        let mut app = app(dir.path().to_owned());
        app.later = setup.later;
        app.replies = setup.replies;
        let (app, lines) = (Arc::new(app), Arc::new(setup.lines));
        let make = |options: &Options, chain, mounts| {
            Door::new(app.clone(), options.clone(), lines.clone()).with_chain(chain).with_mounts(mounts)
        };
        let door = match setup.layer {
            None => make(&setup.options, None, setup.mounts),
            Some(layer) => {
                let inner = make(&setup.options, None, setup.mounts);
                make(&setup.options, Some(layer(Arc::new(inner))), Vec::new())
            }
        };
        let (bound, ready) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let single = setup.single;
        let thread = std::thread::spawn(move || {
            runtime(single).block_on(async {
                let server = Server::bind("127.0.0.1:0".parse().unwrap(), door).await.unwrap();
                bound.send(server.local_addr()).unwrap();
                server.run(async { drop(stopped.await) }).await
            })
        });
        let address = ready.recv().unwrap();
        let folder = dir.path().to_owned();
        Self { address, app, lines, folder, stop: Some(stop), thread: Some(thread), _dir: dir }
    }

    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.address)
    }

    /// One request on a connection of its own.
    pub(crate) fn ask(&self, bytes: impl AsRef<[u8]>) -> Answer {
        self.connect().ask(bytes)
    }

    pub(crate) fn get(&self, target: &str) -> Answer {
        self.ask(super::get(target))
    }

    pub(crate) fn events(&self) -> &Events {
        self.app.state.get().unwrap()
    }

    pub(crate) fn gate(&self) -> &Gate {
        self.app.state.get().unwrap()
    }

    /// Tells the server to stop, and does not wait.
    pub(crate) fn begin_stop(&mut self) {
        drop(self.stop.take());
    }

    /// Stops the server; gives the connections that did not end in time.
    pub(crate) fn stopped(&mut self) -> usize {
        self.begin_stop();
        self.thread.take().unwrap().join().unwrap()
    }

    /// True when the server still answers.
    pub(crate) fn assert_alive(&self) {
        assert_eq!(self.get("/demo/ping").text(), r#"{"stat":"OK"}"#);
    }
}

fn app(folder: PathBuf) -> App {
    let mut app = App::new(Registry::collect().unwrap());
    app.state.insert(Events::default());
    app.state.insert(Gate::default());
    app.state.insert(Folder(folder));
    app.state.insert(Given::default());
    app
}

fn runtime(single: bool) -> tokio::runtime::Runtime {
    let mut builder = if single {
        tokio::runtime::Builder::new_current_thread()
    } else {
        tokio::runtime::Builder::new_multi_thread()
    };
    builder.worker_threads(2).enable_all().build().unwrap()
}
