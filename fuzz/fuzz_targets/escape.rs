//! Text on its way to a log: it is one harmless line, and nothing of it is lost.

#![no_main]

use butterfly_log::escape_into;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut line = b"before ".to_vec();
    escape_into(&mut line, data);
    let line = String::from_utf8(line.split_off(7)).unwrap();
    assert!(!line.chars().any(|c| c.is_control() || turns(c)), "{line:?}");
    assert_eq!(unescaped(&line), data);
});

/// Ends a line, or changes the direction in which a terminal shows it.
fn turns(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The inverse, written from the documentation.
fn unescaped(line: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut parts = line.split('\\');
    out.extend_from_slice(parts.next().unwrap().as_bytes());
    while let Some(part) = parts.next() {
        // Two backslashes in a row leave nothing between them.
        let Some(kind) = part.chars().next() else {
            out.push(b'\\');
            out.extend_from_slice(parts.next().unwrap().as_bytes());
            continue;
        };
        let rest = match kind {
            'x' => {
                out.push(u8::from_str_radix(&part[1..3], 16).unwrap());
                &part[3..]
            }
            'u' => {
                let (digits, rest) = part[2..].split_once('}').unwrap();
                let c = char::from_u32(u32::from_str_radix(digits, 16).unwrap()).unwrap();
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                rest
            }
            _ => {
                let at = "nrt0".find(kind).unwrap();
                out.push(b"\n\r\t\0"[at]);
                &part[1..]
            }
        };
        out.extend_from_slice(rest.as_bytes());
    }
    out
}
