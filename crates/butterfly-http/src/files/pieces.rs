//! A file read piece by piece on the threads that may block.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use tokio::task::JoinHandle;

/// The memory that one sending of a file takes.
pub(super) const PIECE: u64 = 256 << 10;

/// A part of a file as a stream of pieces.
///
/// A file that grows meanwhile is cut at the length that was promised; one that shrinks ends in an error, so that
/// no caller takes half a file for a whole one.
#[derive(Debug)]
pub(super) struct Pieces {
    state: State,
    at: u64,
    left: u64,
}

#[derive(Debug)]
enum State {
    Waiting(File),
    Reading(JoinHandle<io::Result<(File, Bytes)>>),
    Ended,
}

impl Pieces {
    pub(super) fn new(file: File, at: u64, length: u64) -> Self {
        Self { state: State::Waiting(file), at, left: length }
    }

    /// Begins to read the next piece, if there is one.
    fn begin(&mut self, file: File) {
        if self.left == 0 {
            return;
        }
        let (at, size) = (self.at, self.left.min(PIECE));
        self.state = State::Reading(tokio::task::spawn_blocking(move || read(file, at, size)));
    }

    fn ended(&mut self, read: io::Result<(File, Bytes)>) -> io::Result<Bytes> {
        let (file, piece) = read?;
        self.at += piece.len() as u64;
        self.left -= piece.len() as u64;
        self.state = State::Waiting(file);
        Ok(piece)
    }
}

impl Stream for Pieces {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Ended => return Poll::Ready(None),
                State::Waiting(file) => self.begin(file),
                State::Reading(mut reading) => {
                    let polled = Pin::new(&mut reading).poll(cx);
                    if polled.is_pending() {
                        self.state = State::Reading(reading);
                    }
                    let read = ready!(polled).map_err(io::Error::other).flatten();
                    return Poll::Ready(Some(self.ended(read)));
                }
            }
        }
    }
}

fn read(mut file: File, at: u64, size: u64) -> io::Result<(File, Bytes)> {
    let mut piece = Vec::with_capacity(size as usize);
    file.seek(SeekFrom::Start(at))?;
    (&file).take(size).read_to_end(&mut piece)?;
    if (piece.len() as u64) < size {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file shrank while it was sent"));
    }
    Ok((file, piece.into()))
}
