//! Answers on their way out.

use std::io;
use std::time::Duration;

use butterfly_core::access_log::Seconds;
use butterfly_core::reply::Content;
use butterfly_core::{Body, ReqId};

use super::parse::{Request, Version};
use super::respond::{BodyLength, Delivery, HttpDate, write_chunk, write_head_beside, write_last_chunk};
use super::wire::Wire;
use crate::answer::{Answer, note_break, whole};

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

    /// Writes an answer's head, and its content if that is whole; it waits in the buffer. A stream is left in the
    /// answer for [`stream`](Self::stream).
    pub(super) fn answer(&self, wire: &mut Wire, answer: &Answer, reqid: &ReqId, cost: &Seconds) -> Delivery {
        let reason = answer.reason_text();
        let own = answer.own_headers(reqid, cost, &reason);
        let content = whole(&answer.content);
        let length = match (&answer.content, content) {
            (Content::Stream(body), _) => body.length().map_or(BodyLength::Chunked, BodyLength::Known),
            // The length would be that of the file itself, which is not looked at.
            (Content::Empty, _) if answer.status == 304 => BodyLength::None,
            (_, content) => BodyLength::Known(content.map_or(0, |bytes| bytes.len() as u64)),
        };
        let delivery = self.head(wire, answer.status, &own, answer.headers(), length);
        if let Some(bytes) = content.filter(|_| self.has_body(answer.status)) {
            wire.out.extend_from_slice(bytes);
        }
        delivery
    }

    /// True when an answer of this status has a body at all.
    pub(super) fn has_body(&self, status: u16) -> bool {
        !self.head_only && !matches!(status, 100..200 | 204 | 304)
    }

    pub(super) fn head<'a>(
        &self,
        wire: &mut Wire,
        status: u16,
        own: &[(&'static str, &[u8])],
        headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
        length: BodyLength,
    ) -> Delivery {
        let date = HttpDate::cached(self.unix_seconds);
        write_head_beside(
            &mut wire.out,
            status,
            own,
            headers,
            length,
            self.keep_alive,
            self.version,
            date.as_bytes(),
        )
    }

    /// Sends a stream piece by piece. A stream that breaks off closes the connection, so that the other end sees
    /// that something is missing. The log says why under this id; without one somebody else does.
    pub(super) async fn stream(
        &self,
        wire: &mut Wire,
        mut body: Body,
        delivery: Delivery,
        reqid: Option<ReqId>,
    ) -> io::Result<bool> {
        let mut left = body.length();
        wire.flush(self.patience).await?;
        while let Some(piece) = body.next().await {
            let mut piece = piece.inspect_err(|error| {
                if let Some(reqid) = reqid {
                    note_break(reqid, error);
                }
            })?;
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
