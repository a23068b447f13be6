//! Answers on their way out.

use std::io;
use std::time::Duration;

use butterfly_core::reply::Content;
use butterfly_core::{Body, ReqId};

use super::parse::{Request, Version};
use super::respond::{BodyLength, Delivery, HttpDate, write_chunk, write_head, write_last_chunk};
use super::wire::Wire;
use crate::answer::{Answer, whole};

/// What an answer needs to know of its request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sending {
    pub(super) head_only: bool,
    pub(super) keep_alive: bool,
    pub(super) version: Version,
    pub(super) unix_seconds: u64,
    pub(super) patience: Duration,
}

impl Sending {
    /// How an answer to a request goes out.
    pub(super) fn to(request: &Request, head_only: bool, unix_seconds: u64, patience: Duration) -> Self {
        Self { head_only, keep_alive: request.keep_alive, version: request.version, unix_seconds, patience }
    }

    /// Writes an answer; what is whole waits in the buffer, a stream is sent as it comes. True when the connection
    /// may be used again.
    pub(super) async fn answer(
        &self,
        wire: &mut Wire,
        answer: Answer,
        reqid: &ReqId,
        cost: Duration,
    ) -> io::Result<bool> {
        let texts = answer.texts(cost);
        let headers = answer.headers(reqid, &texts);
        let length = match (&answer.content, whole(&answer.content)) {
            (Content::Stream(body), _) => body.length().map_or(BodyLength::Chunked, BodyLength::Known),
            (_, Some(bytes)) => BodyLength::Known(bytes.len() as u64),
            _ => BodyLength::Known(0),
        };
        let delivery = self.head(wire, answer.status, headers, length);
        if self.head_only || matches!(answer.status, 100..200 | 204 | 304) {
            return Ok(delivery.keep_alive);
        }
        if let Some(bytes) = whole(&answer.content) {
            wire.out.extend_from_slice(bytes);
            return Ok(delivery.keep_alive);
        }
        match answer.content {
            Content::Stream(body) => self.stream(wire, body, delivery).await,
            _ => Ok(delivery.keep_alive),
        }
    }

    pub(super) fn head<'a>(
        &self,
        wire: &mut Wire,
        status: u16,
        headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
        length: BodyLength,
    ) -> Delivery {
        let date = HttpDate::cached(self.unix_seconds);
        write_head(&mut wire.out, status, headers, length, self.keep_alive, self.version, date.as_bytes())
    }

    /// Sends a stream piece by piece. A stream that breaks off closes the connection, so that the other end sees
    /// that something is missing.
    pub(super) async fn stream(
        &self,
        wire: &mut Wire,
        mut body: Body,
        delivery: Delivery,
    ) -> io::Result<bool> {
        let mut left = body.length();
        wire.flush(self.patience).await?;
        while let Some(piece) = body.next().await {
            let mut piece = piece?;
            if let Some(left) = &mut left {
                piece.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= piece.len() as u64;
            }
            if piece.is_empty() {
                continue;
            }
            if delivery.chunked {
                write_chunk(&mut wire.out, &piece);
            } else {
                wire.out.extend_from_slice(&piece);
            }
            wire.flush(self.patience).await?;
        }
        if delivery.chunked {
            write_last_chunk(&mut wire.out);
        }
        if left.is_some_and(|left| left > 0) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(delivery.keep_alive)
    }
}
