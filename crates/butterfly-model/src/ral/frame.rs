//! One header and its body, read from a stream.

use std::fmt;
use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

use super::{NSHEAD_LEN, Nshead};

/// What is taken for a body before any of it is there.
const AHEAD: usize = 64 * 1024;

/// Why there is no frame.
#[derive(Debug)]
pub(super) enum FrameError {
    /// The stream ended after so many bytes of the frame.
    Closed(usize),
    Io(io::Error),
    /// What came is no frame, or too long a one.
    Protocol(String),
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(0) => f.write_str("the connection was closed"),
            Self::Closed(got) => write!(f, "the connection was closed after {got} bytes of a message"),
            Self::Io(error) => error.fmt(f),
            Self::Protocol(what) => f.write_str(what),
        }
    }
}

/// Reads a frame. A length that is a lie costs no memory: room is made for what comes.
pub(super) async fn read_frame(
    stream: &mut (impl AsyncRead + Unpin),
    max_body: usize,
) -> Result<(Nshead, Vec<u8>), FrameError> {
    let mut bytes = [0; NSHEAD_LEN];
    let mut have = 0;
    while have < NSHEAD_LEN {
        match stream.read(&mut bytes[have..]).await {
            Ok(0) => return Err(FrameError::Closed(have)),
            Ok(more) => have += more,
            Err(error) => return Err(FrameError::Io(error)),
        }
    }
    let head = Nshead::from_bytes(&bytes).map_err(|error| FrameError::Protocol(error.to_string()))?;
    let len = head.body_len as usize;
    if len > max_body {
        return Err(FrameError::Protocol(format!(
            "a body of {len} bytes, where {max_body} are allowed (max_body)"
        )));
    }
    let mut body = Vec::with_capacity(len.min(AHEAD));
    stream.take(len as u64).read_to_end(&mut body).await.map_err(FrameError::Io)?;
    if body.len() < len {
        return Err(FrameError::Closed(NSHEAD_LEN + body.len()));
    }
    Ok((head, body))
}

/// A frame as it goes over the wire; `None` for a body above 4 GiB.
pub(super) fn write_frame(head: Nshead, body: &[u8]) -> Option<Vec<u8>> {
    let head = Nshead { body_len: u32::try_from(body.len()).ok()?, ..head };
    Some([&head.to_bytes()[..], body].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(mut bytes: &[u8], max_body: usize) -> Result<(Nshead, Vec<u8>), FrameError> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(read_frame(&mut bytes, max_body))
    }

    #[test]
    fn a_length_that_is_a_lie_takes_no_memory() {
        let head = Nshead { body_len: u32::MAX, ..Nshead::new("x") };
        let Err(FrameError::Closed(got)) = read(&head.to_bytes(), usize::MAX) else { panic!("a frame") };
        assert_eq!(got, NSHEAD_LEN);
        let error = read(&head.to_bytes(), 100).unwrap_err().to_string();
        assert_eq!(error, "a body of 4294967295 bytes, where 100 are allowed (max_body)");
    }

    proptest! {
        #[test]
        fn frames_come_back_and_cut_ones_are_noticed(body: Vec<u8>, log_id: u32, cut: prop::sample::Index) {
            let frame = write_frame(Nshead { log_id, ..Nshead::new("x") }, &body).unwrap();
            let (head, read_body) = read(&frame, 1000).unwrap();
            prop_assert_eq!((head.log_id, &read_body), (log_id, &body));
            let cut = cut.index(frame.len());
            let cut_is_noticed = matches!(read(&frame[..cut], 1000), Err(FrameError::Closed(got)) if got == cut);
            prop_assert!(cut_is_noticed);
        }

        #[test]
        fn no_bytes_do_harm(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = read(&bytes, 1000);
        }
    }
}
