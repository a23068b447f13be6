//! Printing that a closed pipe does not fail: `routes | head` is nobody's mistake, and no reason to end a service.

/// `println!`, without the panic when nobody reads any more.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($text)*);
    }};
}

pub(crate) use say;
