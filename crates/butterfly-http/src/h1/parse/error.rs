//! Why a head was refused: the status for the client and a sentence that says what to change.

use std::fmt;

/// What is wrong with a request head.
///
/// # Example
///
/// ```
/// use butterfly_http::h1::parse::HeadError;
///
/// assert_eq!(HeadError::HostMissing.status(), 400);
/// assert!(HeadError::HostMissing.reason().contains("Host"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HeadError {
    /// The head is longer than the limit.
    TooLarge,
    /// More headers than the limit.
    TooManyHeaders,
    /// The target is longer than the limit.
    TargetTooLong,
    /// The method name is longer than any known one.
    MethodTooLong,
    /// The method is not a token.
    BadMethod,
    /// `CONNECT`, or a target that only a proxy understands.
    Connect,
    /// The target is empty, of unknown form, or holds bytes that must be escaped.
    BadTarget,
    /// The target holds a `#`.
    FragmentInTarget,
    /// `*` with a method other than `OPTIONS`.
    AsteriskTarget,
    /// The end of the request line is not a version.
    BadVersion,
    /// A version of HTTP that is not spoken here.
    UnsupportedVersion,
    /// A line that does not end in CR LF.
    LineEnd,
    /// Too many empty lines, or a stray line end, before the request line.
    BlankLines,
    /// A header name that is empty or not a token.
    HeaderName,
    /// White space between a header name and its colon.
    SpaceBeforeColon,
    /// A header continued on the next line.
    FoldedHeader,
    /// Control bytes in a header value.
    HeaderValue,
    /// No `Host` in HTTP/1.1.
    HostMissing,
    /// More than one `Host`.
    HostTwice,
    /// A `Host` that is not a host name or address with an optional port.
    HostInvalid,
    /// A `Content-Length` that is not one decimal number.
    LengthInvalid,
    /// More than one `Content-Length`.
    LengthTwice,
    /// Both `Content-Length` and `Transfer-Encoding`.
    LengthAndEncoding,
    /// More than one `Transfer-Encoding`.
    EncodingTwice,
    /// A `Transfer-Encoding` other than `chunked`.
    EncodingUnknown,
    /// `Transfer-Encoding` from an HTTP/1.0 client.
    EncodingInHttp10,
    /// An `Expect` other than `100-continue`.
    ExpectationUnknown,
    /// The head did not end within its time.
    Timeout,
}

impl HeadError {
    /// The HTTP status that answers it.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::Connect => 405,
            Self::Timeout => 408,
            Self::TargetTooLong => 414,
            Self::ExpectationUnknown => 417,
            Self::TooLarge | Self::TooManyHeaders => 431,
            Self::MethodTooLong | Self::EncodingUnknown => 501,
            Self::UnsupportedVersion => 505,
            _ => 400,
        }
    }

    /// What is wrong and how to mend it, in plain ASCII, fit for a header value.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::TooLarge => "The request head is too large: send fewer or shorter headers and cookies",
            Self::TooManyHeaders => "Too many headers: send fewer",
            Self::TargetTooLong => "The URL is too long: send the parameters in a POST body",
            Self::MethodTooLong => "The method name is too long: use a registered HTTP method",
            Self::BadMethod => {
                "The request does not start with an HTTP method; is this TLS sent to a plain port?"
            }
            Self::Connect => "CONNECT is for proxies and this is not one: request a path",
            Self::BadTarget => {
                "The request target must be a path such as /name?x=1, with other bytes percent-encoded"
            }
            Self::FragmentInTarget => {
                "The request target holds a fragment: remove the part from # on, or write # as %23"
            }
            Self::AsteriskTarget => "The target * goes with OPTIONS only: request a path",
            Self::BadVersion => "The request line must end in HTTP/1.1 or HTTP/1.0",
            Self::UnsupportedVersion => "This HTTP version is not spoken here: use HTTP/1.1",
            Self::LineEnd => "Every line of the head must end in CR LF",
            Self::BlankLines => "Too many line ends before the request line: start with the method",
            Self::Timeout => "The request head did not end in time: send it at once",
            rest => rest.header_reason(),
        }
    }

    fn header_reason(self) -> &'static str {
        match self {
            Self::SpaceBeforeColon => "White space before the colon of a header: remove it",
            Self::FoldedHeader => "A header continues on the next line: put it on one line",
            Self::HeaderValue => "A header value holds a control byte: remove or encode it",
            Self::HostMissing => "The Host header is missing: HTTP/1.1 requires it",
            Self::HostTwice => "The Host header comes more than once: send it once",
            Self::HostInvalid => "The Host header is not a host with an optional port",
            Self::LengthInvalid => "The Content-Length header must be one decimal number of bytes",
            Self::LengthTwice => "The Content-Length header comes more than once: send it once",
            Self::LengthAndEncoding => "Content-Length and Transfer-Encoding exclude each other: send one",
            Self::EncodingTwice => "The Transfer-Encoding header comes more than once: send it once",
            Self::EncodingUnknown => "The Transfer-Encoding header must be exactly: chunked",
            Self::EncodingInHttp10 => {
                "HTTP/1.0 has no Transfer-Encoding: send Content-Length or use HTTP/1.1"
            }
            Self::ExpectationUnknown => "The Expect header must be 100-continue or absent",
            _ => "A header name holds a byte that is not allowed: use letters, digits and -",
        }
    }
}

impl fmt::Display for HeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl std::error::Error for HeadError {}
