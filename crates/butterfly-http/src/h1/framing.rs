//! Cuts the body of a request out of the bytes that arrive, without copying them.
//!
//! Where a body ends is what request smuggling is about, so chunks are read to the letter: hexadecimal sizes only,
//! CR LF everywhere, extensions and trailers bounded and dropped.

#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;

/// The most bytes of chunk extensions in one body.
pub const MAX_EXTENSIONS: usize = 4 * 1024;

/// The most bytes of trailers after a body.
pub const MAX_TRAILERS: usize = 8 * 1024;

/// As many hexadecimal digits as 64 bits hold.
const MAX_SIZE_DIGITS: u8 = 16;

/// How the end of a body is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// There is no body.
    None,
    /// So many bytes.
    Length(u64),
    /// Chunks, the last of them empty.
    Chunked,
}

/// What one call of [`BodyDecoder::decode`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// So many bytes of the input are dealt with; the next call takes the rest.
    pub consumed: usize,
    /// Where in the input the next piece of the body lies; may be empty.
    pub data: Range<usize>,
    /// The body is complete; what follows the consumed bytes is the next request.
    pub done: bool,
}

/// Why a body cannot be read. The connection must be closed: where the next request begins is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BodyError {
    /// A size line that is not 1 to 16 hexadecimal digits, an optional extension, and CR LF.
    ChunkSize,
    /// A chunk that is not followed by CR LF.
    ChunkEnd,
    /// A control byte in a chunk extension.
    Extension,
    /// More than [`MAX_EXTENSIONS`] bytes of extensions.
    ExtensionsTooLarge,
    /// A line after the last chunk that is not `name: value`.
    Trailer,
    /// More than [`MAX_TRAILERS`] bytes of trailers.
    TrailersTooLarge,
}

impl BodyError {
    /// The HTTP status that answers it.
    #[must_use]
    pub fn status(self) -> u16 {
        if self == Self::TrailersTooLarge { 431 } else { 400 }
    }

    /// What is wrong and how to mend it, in plain ASCII, fit for a header value.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::ChunkSize => "A chunk size must be 1 to 16 hexadecimal digits, then CR LF",
            Self::ChunkEnd => "A chunk must end in CR LF right after the bytes its size announced",
            Self::Extension => "A chunk extension must be printable: leave it out",
            Self::ExtensionsTooLarge => "The chunk extensions are too large: leave them out",
            Self::Trailer => "A trailer must be a line of name: value that ends in CR LF",
            Self::TrailersTooLarge => "The trailers are too large: send fewer or none",
        }
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl std::error::Error for BodyError {}

/// What the next byte is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Plain(u64),
    Size { digits: u8, size: u64 },
    Extension(u64),
    SizeLf(u64),
    Data(u64),
    DataCr,
    DataLf,
    TrailerStart,
    TrailerName,
    TrailerValue,
    TrailerLf,
    EndLf,
    Done,
    Failed(BodyError),
}

/// The beginning of a size line.
const SIZE: State = State::Size { digits: 0, size: 0 };

/// Reads one body, fed with whatever arrives.
///
/// # Example
///
/// ```
/// use butterfly_http::h1::framing::{BodyDecoder, Framing};
///
/// let mut input: &[u8] = b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nGET /next";
/// let mut decoder = BodyDecoder::new(Framing::Chunked);
/// let mut body = Vec::new();
/// while !decoder.is_done() {
///     let step = decoder.decode(input)?;
///     body.extend_from_slice(&input[step.data]);
///     input = &input[step.consumed..];
/// }
/// assert_eq!(body, b"abcde");
/// assert_eq!(input, b"GET /next");
/// # Ok::<(), butterfly_http::h1::framing::BodyError>(())
/// ```
#[derive(Debug, Clone)]
pub struct BodyDecoder {
    state: State,
    extensions: usize,
    trailers: usize,
}

impl BodyDecoder {
    /// A decoder at the first byte after the head.
    #[must_use]
    pub fn new(framing: Framing) -> Self {
        let state = match framing {
            Framing::None | Framing::Length(0) => State::Done,
            Framing::Length(length) => State::Plain(length),
            Framing::Chunked => SIZE,
        };
        Self { state, extensions: 0, trailers: 0 }
    }

    /// Whether the body is complete.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// The bytes still to come, when a length was announced.
    #[must_use]
    pub fn remaining(&self) -> Option<u64> {
        match self.state {
            State::Plain(left) => Some(left),
            State::Done => Some(0),
            _ => None,
        }
    }

    /// Finds the next piece of the body in `input`.
    ///
    /// Each call either brings data, finishes the body, or consumes everything; when neither data nor the end came,
    /// read more. How many bytes of body are acceptable is for the caller to count.
    ///
    /// # Errors
    ///
    /// [`BodyError`] when the chunks are malformed; every later call repeats it.
    pub fn decode(&mut self, input: &[u8]) -> Result<Step, BodyError> {
        let result = match self.state {
            State::Failed(error) => Err(error),
            State::Plain(left) => Ok(self.plain(left, input.len())),
            _ => self.chunked(input),
        };
        if let Err(error) = result {
            self.state = State::Failed(error);
        }
        result
    }

    fn plain(&mut self, left: u64, available: usize) -> Step {
        let take = at_most(left, available);
        let left = left - take as u64;
        self.state = if left == 0 { State::Done } else { State::Plain(left) };
        Step { consumed: take, data: 0..take, done: left == 0 }
    }

    /// One piece of data at most, and the framing before and after it.
    fn chunked(&mut self, input: &[u8]) -> Result<Step, BodyError> {
        let (mut at, mut data) = (0, 0..0);
        while at < input.len() && !self.is_done() {
            if let State::Data(left) = self.state {
                if !data.is_empty() {
                    break;
                }
                let take = at_most(left, input.len() - at);
                data = at..at + take;
                at += take;
                let left = left - take as u64;
                self.state = if left == 0 { State::DataCr } else { State::Data(left) };
            } else {
                self.state = self.after(input[at])?;
                at += 1;
            }
        }
        Ok(Step { consumed: at, data, done: self.is_done() })
    }

    /// Where a byte of framing leads.
    fn after(&mut self, byte: u8) -> Result<State, BodyError> {
        match (self.state, byte) {
            (State::Size { digits, size }, _) => self.after_size(digits, size, byte),
            (State::Extension(size), b'\r') => Ok(State::SizeLf(size)),
            (State::Extension(size), _) => self.extension(size, byte),
            (State::SizeLf(0), b'\n') => Ok(State::TrailerStart),
            (State::SizeLf(size), b'\n') => Ok(State::Data(size)),
            (State::SizeLf(_), _) => Err(BodyError::ChunkSize),
            (State::DataCr, b'\r') => Ok(State::DataLf),
            (State::DataLf, b'\n') => Ok(SIZE),
            (State::DataCr | State::DataLf, _) => Err(BodyError::ChunkEnd),
            _ => self.trailer(byte),
        }
    }

    fn after_size(&mut self, digits: u8, size: u64, byte: u8) -> Result<State, BodyError> {
        match (byte, hex_digit(byte)) {
            (_, Some(digit)) if digits < MAX_SIZE_DIGITS => {
                Ok(State::Size { digits: digits + 1, size: size << 4 | digit })
            }
            (b'\r', _) if digits > 0 => Ok(State::SizeLf(size)),
            (b';', _) if digits > 0 => self.extension(size, byte),
            _ => Err(BodyError::ChunkSize),
        }
    }

    fn extension(&mut self, size: u64, byte: u8) -> Result<State, BodyError> {
        self.extensions += 1;
        match byte {
            _ if self.extensions > MAX_EXTENSIONS => Err(BodyError::ExtensionsTooLarge),
            _ if is_text_byte(byte) => Ok(State::Extension(size)),
            _ => Err(BodyError::Extension),
        }
    }

    fn trailer(&mut self, byte: u8) -> Result<State, BodyError> {
        self.trailers += 1;
        if self.trailers > MAX_TRAILERS {
            return Err(BodyError::TrailersTooLarge);
        }
        match (self.state, byte) {
            (State::TrailerStart, b'\r') => Ok(State::EndLf),
            (State::TrailerStart | State::TrailerName, _) if is_token_byte(byte) => Ok(State::TrailerName),
            (State::TrailerName, b':') => Ok(State::TrailerValue),
            (State::TrailerValue, b'\r') => Ok(State::TrailerLf),
            (State::TrailerValue, _) if is_text_byte(byte) => Ok(State::TrailerValue),
            (State::TrailerLf, b'\n') => Ok(State::TrailerStart),
            (State::EndLf, b'\n') => Ok(State::Done),
            _ => Err(BodyError::Trailer),
        }
    }
}

fn at_most(left: u64, available: usize) -> usize {
    usize::try_from(left).map_or(available, |left| left.min(available))
}

fn hex_digit(byte: u8) -> Option<u64> {
    char::from(byte).to_digit(16).map(u64::from)
}

/// What a header value may hold.
const fn is_text_byte(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

/// What a method or header name may hold (RFC 9110, section 5.6.2).
pub(crate) const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.')
        || matches!(byte, b'^' | b'_' | b'`' | b'|' | b'~')
}
