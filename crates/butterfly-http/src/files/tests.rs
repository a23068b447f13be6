use std::fs::{self, FileTimes};
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use proptest::prelude::*;
use tempfile::TempDir;

use super::pieces::PIECE;
use super::version::second_of;
use super::*;

/// Sun, 06 Nov 1994 08:49:37 GMT, and a half.
const WRITTEN: Duration = Duration::from_millis(784_111_777_500);
const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, content: &[u8]) -> Served {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        file.set_times(FileTimes::new().set_modified(UNIX_EPOCH + WRITTEN)).unwrap();
        served(path)
    }
}

fn served(path: PathBuf) -> Served {
    Served { path, save_as: None, media_type: None }
}

fn head(method: Method, headers: &[(&str, &str)]) -> Head {
    let mut head = Head::new(method, "/file");
    headers.iter().for_each(|(name, value)| head.push(name, value.as_bytes()));
    head
}

async fn get(file: &Served, headers: &[(&str, &str)]) -> Opened {
    open(file.clone(), Some(&head(Method::GET, headers))).await.unwrap()
}

impl Opened {
    fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(known, _)| known == name);
        let value = values.next().map(|(_, value)| value.to_str().unwrap());
        assert!(values.next().is_none(), "{name} twice");
        value
    }

    async fn bytes(self) -> io::Result<Vec<u8>> {
        match self.content {
            Content::Bytes(bytes) => Ok(bytes.into()),
            Content::Stream(mut body) => {
                let (mut all, length) = (Vec::new(), body.length());
                while let Some(piece) = body.next().await {
                    let piece = piece?;
                    assert!(!piece.is_empty() && piece.len() as u64 <= PIECE);
                    all.extend_from_slice(&piece);
                }
                assert_eq!(length, Some(all.len() as u64));
                Ok(all)
            }
            Content::Empty => Ok(Vec::new()),
            other => panic!("{other:?}"),
        }
    }
}

/// Bytes that differ from place to place.
fn pattern(length: u64) -> Vec<u8> {
    (0..length).map(|at| (at * 31 + at / 251) as u8).collect()
}

async fn fault(file: Served) -> (u16, &'static str) {
    match open(file, None).await {
        Err(Fault::File(status, reason)) => (status, reason),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn files_of_every_size_arrive_whole_with_their_headers() {
    let folder = Folder::new();
    for size in [0, 1, SMALL - 1, SMALL, SMALL + 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 7] {
        let file = folder.file("a.bin", &pattern(size));
        let opened = get(&file, &[]).await;
        assert_eq!(opened.status, 200);
        assert_eq!(opened.header("content-type"), Some("application/octet-stream"));
        assert_eq!(opened.header("accept-ranges"), Some("bytes"));
        assert_eq!(opened.header("last-modified"), Some(DATE));
        assert_eq!(opened.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(opened.header("cache-control"), Some("no-cache"));
        assert_eq!(opened.header("content-disposition"), None);
        assert_eq!(opened.header("etag"), Some(format!("\"{size:x}-{:x}\"", WRITTEN.as_nanos()).as_str()));
        assert!(opened.bytes().await.unwrap() == pattern(size), "{size}");
    }
}

#[tokio::test]
async fn a_table_of_media_types() {
    let folder = Folder::new();
    let rows = [
        ("a.html", None, None, "text/html; charset=utf-8"),
        ("a.CSS", None, None, "text/css; charset=utf-8"),
        ("a.js", None, None, "text/javascript; charset=utf-8"),
        ("a.json", None, None, "application/json; charset=utf-8"),
        ("a.txt", None, None, "text/plain; charset=utf-8"),
        ("a.png", None, None, "image/png"),
        ("a.svg", None, None, "image/svg+xml"),
        ("a.unknown-kind", None, None, "application/octet-stream"),
        ("a", None, None, "application/octet-stream"),
        ("4711", None, Some("report.pdf"), "application/pdf"),
        ("a.txt", Some("text/x-log"), None, "text/x-log"),
        ("a.txt", Some("bad\r\nheader: 1"), None, "application/octet-stream"),
    ];
    for (name, media_type, save_as, wanted) in rows {
        let mut file = folder.file(name, b"x");
        file.media_type = media_type.map(str::to_owned);
        file.save_as = save_as.map(str::to_owned);
        assert_eq!(get(&file, &[]).await.header("content-type"), Some(wanted), "{name}");
    }
}

#[tokio::test]
async fn a_name_to_save_as_makes_an_attachment() {
    let folder = Folder::new();
    let mut file = folder.file("a.txt", b"x");
    file.save_as = Some("中\".txt".to_owned());
    let opened = get(&file, &[]).await;
    let wanted = "attachment; filename=\"__.txt\"; filename*=UTF-8''%E4%B8%AD%22.txt";
    assert_eq!(opened.header("content-disposition"), Some(wanted));
}

#[tokio::test]
async fn what_is_no_file_is_missing() {
    let folder = Folder::new();
    folder.file("file", b"x");
    fs::create_dir(folder.path("folder")).unwrap();
    for name in ["none", "folder", "file/below", "nul\0byte", &"x".repeat(300), ""] {
        assert_eq!(fault(served(folder.path(name))).await, (404, "File does not exist"), "{name}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_pipe_is_missing_and_nobody_waits_for_its_writer() {
    let folder = Folder::new();
    let pipe = folder.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert_eq!(fault(served(pipe)).await, (404, "File does not exist"));
}

#[test]
fn failures_have_the_originals_texts() {
    let kind = |kind: ErrorKind| match refusal(Path::new("a"), &kind.into()) {
        Fault::File(status, reason) => (status, reason),
        other => panic!("{other:?}"),
    };
    assert_eq!(kind(ErrorKind::PermissionDenied), (403, "Not have permission to access this file"));
    assert_eq!(kind(ErrorKind::NotFound), (404, "File does not exist"));
    assert_eq!(kind(ErrorKind::Other), (500, "Open file Failed"));
}

#[tokio::test]
async fn a_table_of_conditions() {
    let folder = Folder::new();
    let file = folder.file("a.txt", b"hello");
    let etag = get(&file, &[]).await.header("etag").unwrap().to_owned();
    let weak = format!("W/{etag}");
    let list = format!("\"x\", {etag} ,\"y\"");
    let weak_list = format!("\"a,b\",{weak}");
    let after = "Mon, 07 Nov 1994 00:00:00 GMT";
    let none = "if-none-match";
    let since = "if-modified-since";
    let rows: [(&[(&str, &str)], u16); 17] = [
        (&[(none, &etag)], 304),
        (&[(none, &weak)], 304),
        (&[(none, &list)], 304),
        (&[(none, &weak_list)], 304),
        (&[(none, "*")], 304),
        (&[(none, "\"x\""), (none, &etag)], 304),
        (&[(none, "\"x\"")], 200),
        (&[(none, etag.trim_matches('"'))], 200),
        (&[(none, "")], 200),
        (&[(since, DATE)], 304),
        (&[(since, after)], 304),
        (&[(since, "Sunday, 06-Nov-94 08:49:37 GMT")], 304),
        (&[(since, BEFORE)], 200),
        (&[(since, "yesterday")], 200),
        (&[(none, "\"x\""), (since, after)], 200),
        (&[(none, &etag), (since, BEFORE)], 304),
        (&[(none, &etag), ("range", "bytes=0-1")], 304),
    ];
    for (headers, wanted) in rows {
        let opened = get(&file, headers).await;
        assert_eq!(opened.status, wanted, "{headers:?}");
        assert_eq!(opened.header("etag"), Some(etag.as_str()));
        assert_eq!(opened.header("last-modified"), Some(DATE));
        assert_eq!(opened.header("content-type").is_some(), wanted == 200);
        assert_eq!(opened.bytes().await.unwrap().is_empty(), wanted == 304);
    }
}

#[tokio::test]
async fn ranges_of_small_and_large_files() {
    let folder = Folder::new();
    for size in [1000, SMALL + 1000, 2 * PIECE + 1000] {
        let all = pattern(size);
        let file = folder.file("a.bin", &all);
        let ranges = [(0, 0), (0, size - 1), (5, 9), (size - 1, size - 1), (size / 3, size - 2)];
        for (first, last) in ranges {
            let opened = get(&file, &[("range", &format!("bytes={first}-{last}"))]).await;
            assert_eq!(opened.status, 206);
            assert_eq!(opened.header("content-range"), Some(format!("bytes {first}-{last}/{size}").as_str()));
            assert_eq!(opened.header("content-type"), Some("application/octet-stream"));
            let part = opened.bytes().await.unwrap();
            assert!(part == all[first as usize..=last as usize], "{first}-{last} of {size}");
        }
        let opened = get(&file, &[("range", &format!("bytes={size}-"))]).await;
        assert_eq!(opened.status, 416);
        assert_eq!(opened.header("content-range"), Some(format!("bytes */{size}").as_str()));
        assert!(opened.bytes().await.unwrap().is_empty());
        let opened = get(&file, &[("range", "bytes=0-1,3-4")]).await;
        assert_eq!((opened.status, opened.header("content-range")), (200, None));
        assert!(opened.bytes().await.unwrap() == all);
    }
}

#[tokio::test]
async fn a_range_is_sent_only_of_the_state_that_the_caller_knows() {
    let folder = Folder::new();
    let file = folder.file("a.txt", b"hello");
    let etag = get(&file, &[]).await.header("etag").unwrap().to_owned();
    let rows = [
        (etag.clone(), 206),
        (format!("W/{etag}"), 200),
        ("\"x\"".to_owned(), 200),
        (DATE.to_owned(), 206),
        (BEFORE.to_owned(), 200),
        ("Mon, 07 Nov 1994 00:00:00 GMT".to_owned(), 200),
        ("garbage".to_owned(), 200),
        (String::new(), 200),
    ];
    for (known, wanted) in rows {
        let opened = get(&file, &[("range", "bytes=1-2"), ("if-range", &known)]).await;
        assert_eq!(opened.status, wanted, "{known}");
    }
}

#[tokio::test]
async fn other_methods_know_no_ranges_and_only_reading_knows_conditions() {
    let folder = Folder::new();
    let file = folder.file("a.txt", b"hello");
    let rows = [
        (Method::HEAD, "range", "bytes=9-", 200),
        (Method::HEAD, "if-none-match", "*", 304),
        (Method::POST, "range", "bytes=9-", 200),
        (Method::POST, "if-none-match", "*", 200),
    ];
    for (method, name, value, wanted) in rows {
        let head = head(method, &[(name, value)]);
        assert_eq!(open(file.clone(), Some(&head)).await.unwrap().status, wanted, "{head:?}");
    }
    assert_eq!(open(file, None).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_growing_file_is_cut_and_a_shrinking_one_is_an_error() {
    let folder = Folder::new();
    let all = pattern(2 * PIECE);
    let file = folder.file("a.bin", &all);
    let opened = get(&file, &[]).await;
    fs::write(&file.path, pattern(3 * PIECE)).unwrap();
    assert!(opened.bytes().await.unwrap() == all);

    let opened = get(&file, &[]).await;
    File::options().write(true).open(&file.path).unwrap().set_len(PIECE + 1).unwrap();
    let Content::Stream(mut body) = opened.content else { panic!("a large file is a stream") };
    assert_eq!(body.next().await.unwrap().unwrap().len() as u64, PIECE);
    assert_eq!(body.next().await.unwrap().unwrap_err().kind(), ErrorKind::UnexpectedEof);
    assert!(body.next().await.is_none());
}

#[tokio::test]
async fn a_file_removed_after_it_was_opened_still_arrives() {
    let folder = Folder::new();
    let file = folder.file("a.bin", &pattern(PIECE + 1));
    let opened = get(&file, &[]).await;
    if fs::remove_file(&file.path).is_ok() {
        assert!(opened.bytes().await.unwrap() == pattern(PIECE + 1));
    }
}

#[test]
fn times_that_no_http_date_can_say_have_no_date_but_a_tag() {
    let day = Duration::from_secs(86_400);
    let year_10000 = Duration::from_secs(253_402_300_800);
    let at = |modified| Version { length: 5, modified };
    let odd = [Some(UNIX_EPOCH - day), Some(UNIX_EPOCH + year_10000), None];
    let tags = odd.map(|modified| {
        let version = at(modified);
        assert_eq!((version.date(), version.second()), (None, None));
        version.etag()
    });
    assert_eq!(tags[2], "\"5\"");
    assert!(tags[0] != at(Some(UNIX_EPOCH + day)).etag());
    assert_eq!(at(Some(UNIX_EPOCH)).date().as_deref(), Some("Thu, 01 Jan 1970 00:00:00 GMT"));
}

proptest! {
    #[test]
    fn dates_of_any_form_are_read_or_refused(date in "\\PC{0,40}|[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT") {
        let _ = second_of(&date);
    }

    #[test]
    fn a_printed_date_is_read_back(second in 0u64..253_402_300_800) {
        let version = Version { length: 0, modified: Some(UNIX_EPOCH + Duration::from_secs(second)) };
        prop_assert_eq!(second_of(&version.date().unwrap()), Some(second));
    }

    #[test]
    fn no_header_breaks_an_answer(headers in prop::collection::vec(
        ("(range|if-range|if-none-match|if-modified-since)", prop::collection::vec(any::<u8>(), 0..40)), 0..4,
    )) {
        let folder = Folder::new();
        let file = folder.file("a.txt", b"hello");
        let mut head = head(Method::GET, &[]);
        headers.iter().for_each(|(name, value)| head.push(name, value));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let opened = runtime.block_on(open(file, Some(&head))).unwrap();
        prop_assert!([200, 206, 304, 416].contains(&opened.status));
    }
}
