use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::{fs, io};

use butterfly_core::head::Head;
use butterfly_core::{BodyError, Door};
use futures_core::Stream;
use proptest::prelude::*;
use tokio::sync::oneshot;

use super::feed::HEADERS;
use super::*;

const TYPE: &str = "multipart/form-data; boundary=b";
const FORM: &str = "preamble\r\n--b\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nhé\r\n--b\r\n\
    content-disposition: form-data; name=\"file\"; filename=\"../a.txt\"\r\nContent-Type: text/plain\r\n\r\n\
    one\r\n--not\r\ntwo\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n--b--\r\nepilogue";

/// A body of given pieces; counts how many were taken, and may tell when it is asked for more than there are.
#[derive(Default)]
struct Pieces {
    left: VecDeque<io::Result<Bytes>>,
    taken: Arc<AtomicUsize>,
    stalled: Option<oneshot::Sender<()>>,
    stalls: bool,
}

impl Pieces {
    fn of<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let left = pieces.into_iter().map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        Self { left, ..Self::default() }
    }

    fn then(mut self, error: io::Error) -> Self {
        self.left.push_back(Err(error));
        self
    }

    fn then_stall(mut self) -> (Self, oneshot::Receiver<()>) {
        let (stalled, told) = oneshot::channel();
        (self.stalled, self.stalls) = (Some(stalled), true);
        (self, told)
    }

    fn form(self) -> Multipart {
        Multipart::new(TYPE, Body::stream(self, None)).unwrap()
    }
}

impl Stream for Pieces {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.taken.fetch_add(1, Ordering::Relaxed);
        if self.left.is_empty() && self.stalls {
            self.stalled.take().map(|stalled| stalled.send(()));
            return Poll::Pending;
        }
        Poll::Ready(self.left.pop_front())
    }
}

/// Name, file name and content of a part.
type Row = (String, Option<String>, Vec<u8>);

async fn rows(mut form: Multipart) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    while let Some(part) = form.next().await? {
        let (name, file_name) = (part.name().to_owned(), part.file_name().map(str::to_owned));
        rows.push((name, file_name, part.bytes(1 << 30).await?.into()));
    }
    Ok(rows)
}

fn wanted() -> Vec<Row> {
    vec![
        ("title".into(), None, "hé".into()),
        ("file".into(), Some("a.txt".into()), b"one\r\n--not\r\ntwo\r\n".into()),
        ("empty".into(), None, Vec::new()),
    ]
}

/// A form of one file, open at its end.
fn begun(file_name: &str) -> Vec<u8> {
    let head = format!("--b\r\nContent-Disposition: form-data; name=f; filename=\"{file_name}\"\r\n\r\n");
    head.into_bytes()
}

fn bad_body(error: &butterfly_core::Error) -> &str {
    match error.fault() {
        Fault::BadBody(why) => why,
        other => panic!("{other:?}"),
    }
}

fn limit(error: &butterfly_core::Error) -> u64 {
    match error.fault() {
        Fault::TooLarge { limit } => *limit,
        other => panic!("{other:?}"),
    }
}

fn entries(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_form_reads_the_same_wherever_it_is_split() {
    let bytes = FORM.as_bytes();
    for first in 0..=bytes.len() {
        let (head, tail) = bytes.split_at(first);
        assert_eq!(rows(Pieces::of([head, tail]).form()).await.unwrap(), wanted(), "split at {first}");
        let middle = tail.len() / 2;
        let three = Pieces::of([head, &tail[..middle], &tail[middle..]]);
        assert_eq!(rows(three.form()).await.unwrap(), wanted(), "split at {first} and {}", first + middle);
    }
    assert_eq!(rows(Pieces::of(bytes.chunks(1)).form()).await.unwrap(), wanted());
}

#[tokio::test]
async fn a_form_that_ends_early_is_an_error_at_every_byte() {
    let bytes = FORM.as_bytes();
    let whole = FORM.rfind("--b--").unwrap() + 5;
    for end in 0..whole {
        let error = rows(Pieces::of([&bytes[..end]]).form()).await.unwrap_err();
        assert!(bad_body(&error).contains("ends before"), "cut at {end}: {error}");
    }
    assert_eq!(rows(Pieces::of([&bytes[..whole]]).form()).await.unwrap(), wanted());
}

#[tokio::test]
async fn parts_tell_what_they_are_and_may_be_left_unread() {
    let mut form = Pieces::of(FORM.as_bytes().chunks(3)).form();
    assert_eq!(form.next().await.unwrap().unwrap().name(), "title");
    let mut part = form.next().await.unwrap().unwrap();
    assert_eq!((part.file_name(), part.raw_file_name()), (Some("a.txt"), Some("../a.txt")));
    assert_eq!(part.content_type(), Some("text/plain"));
    assert!(part.next_piece().await.unwrap().is_some());
    let part = form.next().await.unwrap().unwrap();
    assert_eq!((part.name(), part.file_name(), part.content_type()), ("empty", None, None));
    assert_eq!(part.text().await.unwrap(), "");
    assert!(form.next().await.unwrap().is_none());
    assert!(form.next().await.unwrap().is_none());
}

#[test]
fn a_request_without_a_form_is_told_what_to_send() {
    let mut ctx = Ctx::new(Door::Http);
    let error = Multipart::from_body(&ctx, Body::empty()).unwrap_err();
    assert_eq!(bad_body(&error), "send the form as multipart/form-data, not as nothing");
    let mut head = Head::new(http::Method::POST, "/");
    head.push("Content-Type", b"multipart/form-data");
    ctx.replace_head(Some(Box::new(head.clone())));
    let error = Multipart::from_body(&ctx, Body::empty()).unwrap_err();
    assert!(bad_body(&error).contains("no boundary"));
    head.restart(http::Method::POST, "/");
    head.push("Content-Type", TYPE.as_bytes());
    ctx.replace_head(Some(Box::new(head)));
    assert!(Multipart::from_body(&ctx, Body::empty()).is_ok());
}

#[tokio::test]
async fn malformed_parts_are_named() {
    let rows_of = |text: &str| rows(Pieces::of([text.as_bytes()]).form());
    let error = rows_of("--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--").await.unwrap_err();
    assert_eq!(bad_body(&error), "a part of the form has no name");
    let error = rows_of("--b\r\nno colon here\r\n\r\nx\r\n--b--").await.unwrap_err();
    assert!(bad_body(&error).starts_with("the form cannot be read"));
    let error = rows_of("").await.unwrap_err();
    assert!(bad_body(&error).contains("ends before"));
    assert_eq!(rows_of("--b--").await.unwrap(), []);
}

#[tokio::test]
async fn what_never_becomes_a_part_does_not_fill_the_memory() {
    let pieces = 1_000_000 / 1024;
    let flood = [b'x'; 1024];
    let starts: [&[u8]; 3] = [b"", b"--b\r\nContent-Disposition: form-data; name=", b"--b"];
    for start in starts {
        let body = Pieces::of([start].into_iter().chain(std::iter::repeat_n(&flood[..], pieces)));
        let taken = body.taken.clone();
        let mut form = body.form();
        let error = form.next().await.unwrap_err();
        let taken = taken.load(Ordering::Relaxed);
        assert!(taken <= HEADERS / 1024 + 2, "{taken} pieces taken");
        // A flood after a whole boundary is refused at once: no line may go on so.
        let why = bad_body(&error);
        assert!(why == "no part begins within 16384 bytes" || start == b"--b", "{why}");
        assert!(form.next().await.is_err());
    }
}

#[tokio::test]
async fn the_body_is_taken_no_faster_than_it_is_read() {
    let piece = vec![b'x'; 64 << 10];
    let mut pieces = vec![begun("a")];
    pieces.extend(std::iter::repeat_n(piece, 100));
    let body = Pieces::of(pieces.iter().map(Vec::as_slice));
    let taken = body.taken.clone();
    let mut form = body.form();
    let mut part = form.next().await.unwrap().unwrap();
    for read in 1..50 {
        part.next_piece().await.unwrap().unwrap();
        let taken = taken.load(Ordering::Relaxed);
        assert!(taken <= read + 3, "{taken} taken, {read} read");
    }
}

/// Found by fuzzing: a piece was taken for each part and each look at it, although a whole form was there already.
#[tokio::test]
async fn many_small_parts_do_not_draw_in_what_follows() {
    let small = b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n".repeat(100);
    let flood = [b'x'; 1024];
    for unread in [false, true] {
        let body = Pieces::of([&small[..]].into_iter().chain(std::iter::repeat_n(&flood[..], 1000)));
        let taken = body.taken.clone();
        let mut form = body.form();
        for _ in 0..99 {
            let part = form.next().await.unwrap().unwrap();
            assert!(unread || part.text().await.unwrap() == "1");
        }
        assert_eq!(taken.load(Ordering::Relaxed), 1);
    }
}

/// Found on the way of a fuzzing find: a large piece that held the first boundary was never looked at, when a small one came before.
#[tokio::test]
async fn a_large_piece_is_looked_at_wherever_it_begins() {
    let large = [FORM.as_bytes(), &[b' '; 2 * HEADERS]].concat();
    for first in 0..FORM.len() {
        let (head, tail) = large.split_at(first);
        assert_eq!(rows(Pieces::of([head, tail]).form()).await.unwrap(), wanted(), "split at {first}");
    }
}

#[tokio::test]
async fn texts_are_utf8_and_bounded() {
    let text = |content: Vec<u8>| async move {
        let body = [
            b"--b\r\nContent-Disposition: form-data; name=t\r\n\r\n".to_vec(),
            content,
            b"\r\n--b--".to_vec(),
        ];
        let mut form = Multipart::new(TYPE, body.concat().into()).unwrap();
        form.next().await.unwrap().unwrap().text().await
    };
    assert_eq!(text(vec![b'x'; TEXT]).await.unwrap().len(), TEXT);
    assert_eq!(limit(&text(vec![b'x'; TEXT + 1]).await.unwrap_err()), TEXT as u64);
    assert_eq!(bad_body(&text(vec![0xff]).await.unwrap_err()), "the field t is no UTF-8 text");
}

#[tokio::test]
async fn a_form_has_at_most_a_thousand_parts() {
    let part = "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n";
    let form = |count| Multipart::new(TYPE, format!("{}--b--", part.repeat(count)).into()).unwrap();
    assert_eq!(rows(form(PARTS)).await.unwrap().len(), PARTS);
    let error = rows(form(PARTS + 1)).await.unwrap_err();
    assert_eq!(bad_body(&error), "the form has more than 1000 parts");
}

#[tokio::test]
async fn the_servers_limit_and_a_lost_caller_are_told_apart() {
    let part = begun("a");
    let error = Pieces::of([&part[..]]).then(BodyError::TooLarge { limit: 7 }.into());
    assert_eq!(limit(&rows(error.form()).await.unwrap_err()), 7);
    for error in [io::Error::other("x"), io::ErrorKind::ConnectionReset.into()] {
        let error = rows(Pieces::of([&part[..]]).then(error).form()).await.unwrap_err();
        assert_eq!(bad_body(&error), "the form broke off");
    }
}

async fn save(body: Pieces, dir: &Path, max_bytes: u64) -> Result<PathBuf> {
    body.form().next().await?.unwrap().save_in(dir, max_bytes).await
}

#[tokio::test]
async fn files_are_saved_under_names_that_are_free() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("new/uploads");
    let rows = [
        ("../a.txt", "one", "a.txt"),
        ("C:\\a.txt", "two", "a-1.txt"),
        ("a.txt", "three", "a-2.txt"),
        ("..", "", "upload"),
        ("/x/..", "four", "upload-1"),
    ];
    for (sent, content, name) in rows {
        let body = [begun(sent), content.into(), b"\r\n--b--".into()].concat();
        let path = save(Pieces::of(body.chunks(2)), &dir, content.len() as u64).await.unwrap();
        assert_eq!(path, dir.join(name));
        assert_eq!(fs::read_to_string(path).unwrap(), content);
    }
    assert_eq!(entries(&dir), ["a-1.txt", "a-2.txt", "a.txt", "upload", "upload-1"]);
    assert_eq!(entries(folder.path()), ["new"]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_in_the_folder_is_not_written_through() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, target) = (folder.path().join("uploads"), folder.path().join("target"));
    fs::create_dir(&dir).unwrap();
    std::os::unix::fs::symlink(&target, dir.join("a")).unwrap();
    let body = [begun("a"), b"x\r\n--b--".into()].concat();
    assert_eq!(save(Pieces::of([&body[..]]), &dir, 9).await.unwrap(), dir.join("a-1"));
    assert!(!target.exists());
}

#[tokio::test]
async fn a_file_that_is_not_finished_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let part = [begun("a"), b"content".into()].concat();
    let error = save(Pieces::of(part.chunks(5)), folder.path(), 99).await.unwrap_err();
    assert!(bad_body(&error).contains("ends before"));
    let body = Pieces::of(part.chunks(5)).then(io::ErrorKind::ConnectionReset.into());
    assert_eq!(bad_body(&save(body, folder.path(), 99).await.unwrap_err()), "the form broke off");
    let body = [&part[..], b"\r\n--b--"].concat();
    assert_eq!(limit(&save(Pieces::of(body.chunks(5)), folder.path(), 6).await.unwrap_err()), 6);
    assert_eq!(entries(folder.path()), Vec::<String>::new());
}

#[tokio::test]
async fn a_save_that_is_given_up_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let part = [begun("a"), vec![b'x'; 100_000]].concat();
    let (body, stalled) = Pieces::of(part.chunks(1000)).then_stall();
    let begun = async {
        stalled.await.unwrap();
        assert_eq!(entries(folder.path()), ["a"]);
    };
    tokio::select! {
        saved = save(body, folder.path(), 1 << 20) => panic!("{saved:?}"),
        () = begun => {}
    }
    assert_eq!(entries(folder.path()), Vec::<String>::new());
}

#[tokio::test]
async fn a_disk_that_refuses_is_the_servers_fault() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    let body = [begun("a"), b"x\r\n--b--".into()].concat();
    let error = save(Pieces::of([&body[..]]), &file, 9).await.unwrap_err();
    assert!(matches!(error.fault(), Fault::Server { .. }), "{error:?}");
    assert!(error.chain().contains("cannot make the folder"), "{error:?}");
}

#[tokio::test]
async fn small_forms_become_pairs_and_hold_no_files() {
    let form = "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b\r\n\
        Content-Disposition: form-data; name=a\r\n\r\n2\r\n--b\r\nContent-Disposition: form-data; name=\"é\"\r\n\r\n中\r\n--b--";
    let pairs = text_fields(TYPE, form.into()).await.unwrap();
    let wanted =
        [("a", "1"), ("a", "2"), ("é", "中")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(pairs, wanted);
    let Err(Fault::BadBody(why)) = text_fields(TYPE, FORM.into()).await else { panic!("a file was taken") };
    assert_eq!(why, "file is a file: its handler must be #[handler(upload)]");
    assert!(text_fields("text/plain", Bytes::new()).await.is_err());
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

proptest! {
    #[test]
    fn garbage_ends_in_an_answer(
        garbage in "(--b|--|\r\n|\r|\n|\r\n\r\n|Content-Disposition: form-data; name=|\"|;|=|a|[\\x00-\\xff]){0,40}",
        size in 1usize..20,
    ) {
        let _ = block_on(rows(Pieces::of(garbage.as_bytes().chunks(size)).form()));
    }

    #[test]
    fn any_content_arrives(content in prop::collection::vec(prop::sample::select(b"\r\n-bx".as_slice()), 0..60), size in 1usize..9) {
        prop_assume!(!content.windows(5).any(|part| part == b"\r\n--b") && !content.starts_with(b"--b"));
        let body = [begun("n"), content.clone(), b"\r\n--b--\r\n".to_vec()].concat();
        let first = body.windows(5).position(|part| part == b"\r\n--b");
        prop_assume!(first == Some(begun("n").len() + content.len()));
        let rows = block_on(rows(Pieces::of(body.chunks(size)).form())).unwrap();
        prop_assert_eq!(rows, vec![("f".to_owned(), Some("n".to_owned()), content)]);
    }
}
