//! The body of a request: however the bytes arrive, it is the same body and ends at the same byte.

#![no_main]

use butterfly_fuzz::choice;
use butterfly_http::h1::framing::{BodyDecoder, BodyError, Framing};
use butterfly_http::h1::respond::{write_chunk, write_last_chunk};
use libfuzzer_sys::fuzz_target;

/// The body, and how many bytes were consumed when it ended.
type Read = Result<(Vec<u8>, Option<usize>), BodyError>;

fuzz_target!(|data: &[u8]| {
    let (number, data) = choice(data);
    let size = 1 + number / 4;
    let framing = match number % 4 {
        0 => Framing::Length(number as u64),
        _ => Framing::Chunked,
    };
    let whole = read(framing, [data]);
    assert_eq!(whole, read(framing, data.chunks(1)));
    assert_eq!(whole, read(framing, data.chunks(size)));
    assert_eq!(whole, read(framing, [&data[..size.min(data.len())], &data[size.min(data.len())..]]));
    match (framing, whole) {
        (Framing::Chunked, Ok((body, Some(end)))) => {
            assert_eq!(naive(&data[..end]), body);
            again(&body, size);
        }
        (Framing::Length(length), read) => {
            let wanted = data.len().min(length as usize);
            assert_eq!(read, Ok((data[..wanted].to_vec(), (wanted as u64 == length).then_some(wanted))));
        }
        _ => {}
    }
});

/// Feeds pieces as a connection would.
fn read<'a>(framing: Framing, pieces: impl IntoIterator<Item = &'a [u8]>) -> Read {
    let mut decoder = BodyDecoder::new(framing);
    let (mut body, mut total) = (Vec::new(), 0);
    for mut piece in pieces {
        while !piece.is_empty() && !decoder.is_done() {
            let step = decoder.decode(piece).inspect_err(|error| {
                assert_eq!(decoder.decode(b"0\r\n\r\n"), Err(*error), "a broken body goes on");
            })?;
            assert!(step.data.start <= step.data.end && step.data.end <= step.consumed);
            assert!(step.consumed <= piece.len());
            assert!(!step.data.is_empty() || step.done || step.consumed == piece.len(), "stuck");
            assert_eq!(step.done, decoder.is_done());
            body.extend_from_slice(&piece[step.data]);
            piece = &piece[step.consumed..];
            total += step.consumed;
        }
    }
    Ok((body, decoder.is_done().then_some(total)))
}

/// The same chunks, read line by line with the least of rules.
fn naive(mut chunks: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = chunks.windows(2).position(|pair| pair == b"\r\n").unwrap();
        let line = std::str::from_utf8(&chunks[..end])
            .unwrap_or_else(|broken| std::str::from_utf8(&chunks[..broken.valid_up_to()]).unwrap());
        let size = usize::from_str_radix(line.split(';').next().unwrap(), 16).unwrap();
        chunks = &chunks[end + 2..];
        if size == 0 {
            assert!(chunks == b"\r\n" || chunks.ends_with(b"\r\n\r\n"));
            return body;
        }
        body.extend_from_slice(&chunks[..size]);
        assert_eq!(&chunks[size..size + 2], b"\r\n");
        chunks = &chunks[size + 2..];
    }
}

/// What was read is written in other chunks and read back.
fn again(body: &[u8], size: usize) {
    let mut sent = Vec::new();
    body.chunks(size).for_each(|piece| write_chunk(&mut sent, piece));
    write_last_chunk(&mut sent);
    assert_eq!(read(Framing::Chunked, [&sent[..]]), Ok((body.to_vec(), Some(sent.len()))));
}
