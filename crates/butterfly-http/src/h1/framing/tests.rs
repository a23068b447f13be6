use proptest::prelude::*;

use super::*;
use crate::h1::respond::{write_chunk, write_last_chunk};

/// Feeds pieces as a connection would; the body, and how many bytes were consumed when it ended.
fn read<'a>(
    framing: Framing,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(Vec<u8>, Option<usize>), BodyError> {
    let mut decoder = BodyDecoder::new(framing);
    let (mut body, mut total) = (Vec::new(), 0);
    for mut piece in pieces {
        while !piece.is_empty() && !decoder.is_done() {
            let step = decoder.decode(piece)?;
            assert!(step.data.start <= step.data.end && step.data.end <= step.consumed);
            assert!(!step.data.is_empty() || step.done || step.consumed == piece.len(), "stuck");
            assert_eq!(step.done, decoder.is_done());
            body.extend_from_slice(&piece[step.data]);
            piece = &piece[step.consumed..];
            total += step.consumed;
        }
    }
    Ok((body, decoder.is_done().then_some(total)))
}

fn chunked(input: &[u8]) -> Result<(Vec<u8>, Option<usize>), BodyError> {
    let whole = read(Framing::Chunked, [input]);
    let bytewise = read(Framing::Chunked, input.chunks(1));
    assert_eq!(whole, bytewise, "{}", input.escape_ascii());
    whole
}

/// The bytes between the pieces of `input` cut at the given places.
fn cut<'a>(input: &'a [u8], places: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut ends: Vec<usize> = places.iter().map(|place| place.index(input.len() + 1)).collect();
    ends.push(input.len());
    ends.sort_unstable();
    let starts = std::iter::once(0).chain(ends.iter().copied());
    starts.zip(&ends).map(|(start, end)| &input[start..*end]).collect()
}

#[test]
fn good_chunks_are_read_and_end_where_they_end() {
    let rows: &[(&[u8], &[u8], &[u8])] = &[
        (b"0\r\n\r\n", b"", b""),
        (b"0\r\n\r\nGET /", b"", b"GET /"),
        (b"00000\r\n\r\n", b"", b""),
        (b"5\r\nhello\r\n0\r\n\r\n", b"hello", b""),
        (b"A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", b"01234567890123456789", b""),
        (b"0000000000000005\r\nhello\r\n0\r\n\r\n", b"hello", b""),
        (b"2;a=1;b=\"x\ty\"\r\nhi\r\n0;last\r\n\r\n", b"hi", b""),
        (b"1;\r\nx\r\n0\r\n\r\n", b"x", b""),
        (b"2\r\n\r\n\r\n0\r\n\r\n", b"\r\n", b""),
        (b"1\r\nx\r\n0\r\nX-Sum: 1\r\nEmpty:\r\n\r\nrest", b"x", b"rest"),
    ];
    for (input, body, rest) in rows {
        let end = input.len() - rest.len();
        assert_eq!(chunked(input), Ok((body.to_vec(), Some(end))), "{}", input.escape_ascii());
    }
}

#[test]
fn bad_chunks_are_refused() {
    let rows: &[(&[u8], BodyError)] = &[
        (b"\r\n", BodyError::ChunkSize),
        (b";a\r\n", BodyError::ChunkSize),
        (b"+5\r\nhello", BodyError::ChunkSize),
        (b"-5\r\nhello", BodyError::ChunkSize),
        (b"0x5\r\nhello", BodyError::ChunkSize),
        (b" 5\r\nhello", BodyError::ChunkSize),
        (b"5 \r\nhello", BodyError::ChunkSize),
        (b"5\t;a\r\nhello", BodyError::ChunkSize),
        (b"5\nhello\n", BodyError::ChunkSize),
        (b"5\rhello", BodyError::ChunkSize),
        (b"5\r\rhello", BodyError::ChunkSize),
        (b"g\r\n", BodyError::ChunkSize),
        (b"1_0\r\n", BodyError::ChunkSize),
        (b"\xd9\xa1\r\n", BodyError::ChunkSize),
        (b"5,5\r\n", BodyError::ChunkSize),
        (b"00000000000000005\r\nhello", BodyError::ChunkSize),
        (b"10000000000000000\r\n", BodyError::ChunkSize),
        (b"fffffffffffffffff\r\n", BodyError::ChunkSize),
        (b"5;a\nhello", BodyError::Extension),
        (b"5;a\0\r\nhello", BodyError::Extension),
        (b"5;a\x7f\r\nhello", BodyError::Extension),
        (b"5;a\rb\r\nhello", BodyError::ChunkSize),
        (b"5\r\nhelloX", BodyError::ChunkEnd),
        (b"5\r\nhello\n", BodyError::ChunkEnd),
        (b"5\r\nhello\rX", BodyError::ChunkEnd),
        (b"5\r\nhello0\r\n\r\n", BodyError::ChunkEnd),
        (b"0\r\n\n", BodyError::Trailer),
        (b"0\r\n\rX", BodyError::Trailer),
        (b"0\r\nGET / HTTP/1.1\r\n\r\n", BodyError::Trailer),
        (b"0\r\n folded\r\n\r\n", BodyError::Trailer),
        (b"0\r\nA : b\r\n\r\n", BodyError::Trailer),
        (b"0\r\n: b\r\n\r\n", BodyError::Trailer),
        (b"0\r\nA: b\nB: c\r\n\r\n", BodyError::Trailer),
        (b"0\r\nA: b\0\r\n\r\n", BodyError::Trailer),
        (b"0\r\nA: b\r\r\n\r\n", BodyError::Trailer),
    ];
    for (input, error) in rows {
        assert_eq!(chunked(input), Err(*error), "{}", input.escape_ascii());
    }
}

#[test]
fn the_largest_size_is_believed_and_waits_for_its_bytes() {
    let input = b"ffffffffffffffff\r\nabc";
    assert_eq!(chunked(input), Ok((b"abc".to_vec(), None)));
}

#[test]
fn extensions_are_bounded_over_the_whole_body() {
    let chunk = format!("1;{}\r\nx\r\n", "e".repeat(1023));
    let fits = [chunk.repeat(4), "0\r\n\r\n".into()].concat();
    assert_eq!(chunked(fits.as_bytes()).map(|(body, _)| body), Ok(b"xxxx".to_vec()));
    let too_many = [chunk.repeat(4), "0;\r\n\r\n".into()].concat();
    assert_eq!(chunked(too_many.as_bytes()), Err(BodyError::ExtensionsTooLarge));
}

#[test]
fn trailers_are_bounded_together() {
    let trailer = "A: 0123456789\r\n";
    let fits = ["0\r\n", &trailer.repeat(MAX_TRAILERS / trailer.len()), "\r\n"].concat();
    assert!(chunked(fits.as_bytes()).is_ok_and(|(_, end)| end == Some(fits.len())));
    let too_many = ["0\r\n", &trailer.repeat(MAX_TRAILERS / trailer.len() + 1), "\r\n"].concat();
    assert_eq!(chunked(too_many.as_bytes()), Err(BodyError::TrailersTooLarge));
}

#[test]
fn a_length_takes_exactly_its_bytes() {
    assert_eq!(read(Framing::Length(3), [&b"abcGET"[..]]), Ok((b"abc".to_vec(), Some(3))));
    assert_eq!(read(Framing::Length(9), [&b"abc"[..]]), Ok((b"abc".to_vec(), None)));
    for framing in [Framing::None, Framing::Length(0)] {
        let mut decoder = BodyDecoder::new(framing);
        assert_eq!(decoder.decode(b"GET"), Ok(Step { consumed: 0, data: 0..0, done: true }));
        assert_eq!(decoder.remaining(), Some(0));
    }
}

#[test]
fn what_remains_is_known_only_with_a_length() {
    let mut decoder = BodyDecoder::new(Framing::Length(5));
    assert!(decoder.decode(b"abc").is_ok());
    assert_eq!(decoder.remaining(), Some(2));
    assert_eq!(BodyDecoder::new(Framing::Chunked).remaining(), None);
}

#[test]
fn a_failed_body_stays_failed_and_a_finished_one_finished() {
    let mut decoder = BodyDecoder::new(Framing::Chunked);
    assert_eq!(decoder.decode(b"zz"), Err(BodyError::ChunkSize));
    assert_eq!(decoder.decode(b"0\r\n\r\n"), Err(BodyError::ChunkSize));
    let mut decoder = BodyDecoder::new(Framing::Chunked);
    assert!(decoder.decode(b"0\r\n\r\n").is_ok_and(|step| step.done));
    assert_eq!(decoder.decode(b"5\r\n"), Ok(Step { consumed: 0, data: 0..0, done: true }));
}

#[test]
fn one_chunk_and_its_end_take_one_step() {
    let mut decoder = BodyDecoder::new(Framing::Chunked);
    let step = decoder.decode(b"2\r\nhi\r\n0\r\n\r\n").unwrap();
    assert_eq!(step, Step { consumed: 12, data: 3..5, done: true });
}

proptest! {
    #[test]
    fn encoded_chunks_come_back_however_they_are_cut(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..8),
        places in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        next in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let mut wire = Vec::new();
        chunks.iter().for_each(|chunk| write_chunk(&mut wire, chunk));
        write_last_chunk(&mut wire);
        let end = wire.len();
        wire.extend_from_slice(&next);
        prop_assert_eq!(read(Framing::Chunked, cut(&wire, &places)), Ok((chunks.concat(), Some(end))));
    }

    #[test]
    fn garbage_reads_the_same_however_it_is_cut(
        input in "[0-9a-f;:A\r\n \t\0\u{fc}]{0,60}(0\r\n\r\n)?",
        places in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let input = input.as_bytes();
        let whole = read(Framing::Chunked, [input]);
        prop_assert_eq!(read(Framing::Chunked, cut(input, &places)), whole);
    }

    #[test]
    fn any_bytes_are_read_or_refused(input in prop::collection::vec(any::<u8>(), 0..200), length: u64) {
        let _ = read(Framing::Chunked, [&input[..]]);
        let (body, _) = read(Framing::Length(length), [&input[..]]).unwrap();
        prop_assert_eq!(body.len() as u64, length.min(input.len() as u64));
    }
}
