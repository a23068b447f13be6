//! Ids of calls: what is taken over is what was sent, and fit for a log line and a header.

#![no_main]

use std::time::{Duration, SystemTime};

use butterfly_core::{ReqId, ReqIdParts};
use butterfly_fuzz::text_line;
use libfuzzer_sys::fuzz_target;

/// 2020-01-01, the first moment an id can name.
const FIRST: Duration = Duration::from_secs(1_577_836_800);

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (text, prefix) = text_line(text);
    let fits = |text: &str| {
        (1..=40).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
    };
    let read = text.parse::<ReqId>();
    assert_eq!(read.is_ok(), fits(text));
    let Ok(id) = read else { return };
    assert_eq!((id.as_str(), id.as_bytes(), id.to_string()), (text, text.as_bytes(), text.to_owned()));
    if let Ok(parts) = id.decode() {
        assert!(text.to_ascii_uppercase().ends_with(&written(&parts)));
    }
    let whole = id.prefixed(prefix);
    assert_eq!(whole.is_ok(), fits(&format!("{prefix}{text}")));
    if let Ok(whole) = whole {
        assert_eq!(whole.as_str(), format!("{prefix}{text}"));
    }
});

/// The parts in the layout that is documented.
fn written(parts: &ReqIdParts) -> String {
    let since = parts.time.duration_since(SystemTime::UNIX_EPOCH + FIRST).unwrap();
    format!("{:010X}{:04X}{:02X}", since.as_millis(), parts.lane, parts.count)
}
