//! What the queue stands on, and what goes wrong with it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use butterfly::messages::Engine;

use crate::clock::Clock;
use crate::disk::Disk;
use crate::faults::Fault;
use crate::line::Line;
use crate::options::{EngineName, Options};
use crate::place::Place;
use crate::server::Server;

/// Where the queue is, with what is around it.
pub(crate) struct Stand {
    /// Where it is for senders and workers.
    pub(crate) place: Place,
    /// The torture's own view, which no fault but that of the server itself reaches.
    pub(crate) engine: Arc<dyn Engine>,
    redis: Option<(Server, Line)>,
    clock: Option<Clock>,
    disk: Option<Disk>,
}

impl Stand {
    pub(crate) async fn put_up(options: &Options, folder: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let clock = if options.jumps > 0 { Some(Clock::right(folder)?) } else { None };
        let queue = queue_folder(folder);
        std::fs::create_dir_all(&queue)?;
        let disk = options.fills_a_disk().then(|| Disk::at(&queue));
        if options.engine == EngineName::Embedded {
            let place = Place::Embedded(queue.clone());
            return Ok(Self { engine: place.open().await?, place, redis: None, clock, disk });
        }
        let server = Server::start(&queue, &options.appendfsync)?;
        let line = Line::to(server.port).await?;
        let at = |port| Place::Redis(format!("redis://127.0.0.1:{port}"));
        let engine = at(server.port).open().await?;
        Ok(Self { place: at(line.port), engine, redis: Some((server, line)), clock, disk })
    }

    /// What processes need in their environment.
    pub(crate) fn variables(&self) -> &[(String, String)] {
        self.clock.as_ref().map_or(&[], |clock| &clock.variables)
    }

    /// Lets something go wrong; [`end`](Self::end) puts it right.
    pub(crate) fn begin(&mut self, fault: Fault) -> io::Result<()> {
        match (fault, &mut self.redis) {
            (Fault::Server, Some((server, _))) => server.kill(),
            (Fault::Cut, Some((_, line))) => {
                line.set_cut(true);
                Ok(())
            }
            (Fault::Full, Some((server, _))) => server.tell("CONFIG SET maxmemory 1"),
            (Fault::Full, None) | (Fault::FullDisk, _) => self.disk.as_ref().map_or(Ok(()), Disk::fill),
            (Fault::Jump(seconds), _) => self.clock.as_ref().map_or(Ok(()), |clock| clock.set(seconds)),
            (Fault::Kill, _) | (Fault::Server | Fault::Cut, None) => Ok(()),
        }
    }

    pub(crate) fn end(&mut self, fault: Fault) -> io::Result<()> {
        match (fault, &mut self.redis) {
            (Fault::Server, Some((server, _))) => server.start_again(),
            (Fault::Cut, Some((_, line))) => {
                line.set_cut(false);
                Ok(())
            }
            (Fault::Full, Some((server, _))) => server.tell("CONFIG SET maxmemory 0"),
            (Fault::FullDisk, Some((server, _))) => {
                self.disk.as_ref().map_or(Ok(()), Disk::clear)?;
                server.start_if_ended()
            }
            (Fault::Full | Fault::FullDisk, None) => self.disk.as_ref().map_or(Ok(()), Disk::clear),
            (Fault::Jump(_), _) => self.clock.as_ref().map_or(Ok(()), |clock| clock.set(0)),
            (Fault::Kill, _) | (Fault::Server | Fault::Cut, None) => Ok(()),
        }
    }
}

/// The folder of the queue's files, or of the server's.
pub(crate) fn queue_folder(folder: &Path) -> PathBuf {
    folder.join("queue")
}
