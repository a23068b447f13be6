//! Handlers of every form, for the document.

use std::collections::BTreeMap;

use butterfly_core::args::{Blob, Json};
use butterfly_core::reply::{Download, Http};
use butterfly_core::{Body, Handler, Result};
use butterfly_macros::{data, handler};

pub(crate) static HANDLERS: &[&Handler] = &[
    &find::HANDLER,
    &store::HANDLER,
    &fetch::HANDLER,
    &probe::HANDLER,
    &item::HANDLER,
    &rename_item::HANDLER,
    &files::HANDLER,
    &whole::HANDLER,
    &checked::HANDLER,
    &nested::HANDLER,
    &pin_board::HANDLER,
    &shapes::HANDLER,
    &unit::HANDLER,
    &closed::HANDLER,
    &counts::HANDLER,
    &tree::HANDLER,
    &own_stat::HANDLER,
    &number_or_not::HANDLER,
    &object_or_not::HANDLER,
    &flat::HANDLER,
    &endless::HANDLER,
];

#[data]
#[serde(rename_all = "lowercase")]
pub(crate) enum Color {
    Red,
    Blue,
}

/// What was found.
#[data]
pub(crate) struct Found {
    /// the names
    items: Vec<String>,
    total: u32,
}

/// Finds items.
///
/// Looks into names first.
#[handler]
pub(crate) fn find(
    /// what to look for
    words: String,
    color: Option<Color>,
    #[default(1)]
    #[check(range(1..))]
    page: u32,
    #[default(Vec::new())] tags: Vec<String>,
) -> Result<Found> {
    let items = vec![format!("{words} {color:?} {tags:?}")];
    Ok(Found { items, total: page })
}

/// Keeps a file.
#[handler(upload)]
pub(crate) fn store(name: String, body: Body) -> Option<u64> {
    body.length().filter(|_| !name.is_empty())
}

/// Gives a file back.
#[handler(download)]
pub(crate) fn fetch(name: String) -> Download {
    Download::file("files").save_as(name)
}

#[handler(http, ops, timeout = "5s")]
pub(crate) fn probe() -> Http {
    Http::text("ok")
}

#[handler(path = "/items/{id}", methods(GET))]
pub(crate) fn item(id: u32) -> Color {
    if id == 0 { Color::Red } else { Color::Blue }
}

#[handler(path = "/items/{id}", methods(PUT))]
pub(crate) fn rename_item(id: u32, name: String) -> String {
    format!("{id}{name}")
}

#[handler(path = "/files/{*rest}", download)]
pub(crate) fn files(rest: String) -> Download {
    Download::file(rest)
}

#[handler]
pub(crate) fn whole(Json(notes): Json<Vec<Note>>, #[default(true)] save: bool) -> usize {
    notes.len() + usize::from(save)
}

fn polite(text: &str) -> Result<(), String> {
    if text == "shut" { Err("must be polite".into()) } else { Ok(()) }
}

#[handler]
pub(crate) fn checked(
    /// in years
    #[check(range(18..100))]
    age: u8,
    #[check(range(..=0.5))] share: f64,
    #[check(len(1..=20), regex("^[a-z]+$"), polite)] name: String,
    #[check(len(..=3))] tags: Vec<String>,
    #[check(len(1..))] maybe: Option<Vec<u8>>,
    #[check(len(..=5))] blob: Blob,
    #[default("guest")] password: String,
) -> String {
    format!("{age}{share}{name}{tags:?}{maybe:?}{blob:?}{password}")
}

#[handler]
pub(crate) fn nested(note: Note, notes: Vec<Note>, any: butterfly::serde_json::Value) -> String {
    format!("{note:?}{notes:?}{any}")
}

#[data]
pub(crate) struct Note {
    text: String,
    #[serde(default)]
    stars: u8,
}

#[data]
pub(crate) struct Board {
    notes: Vec<Note>,
}

#[handler]
pub(crate) fn pin_board(board: Board) -> Board {
    board
}

/// Alternatives of every kind.
#[data]
pub(crate) enum Shape {
    Point,
    Square(u32),
    Circle { radius: f64 },
}

#[data]
#[serde(untagged)]
pub(crate) enum Loose {
    Number(i64),
    List(Vec<Shape>),
    Object { shape: Shape },
    Nothing,
}

#[handler]
pub(crate) fn shapes(case: u32) -> Loose {
    match case {
        0 => Loose::Number(-1),
        1 => Loose::List(vec![Shape::Point, Shape::Square(1), Shape::Circle { radius: 0.5 }]),
        2 => Loose::Object { shape: Shape::Point },
        3 => Loose::Object { shape: Shape::Circle { radius: 1.0 } },
        _ => Loose::Nothing,
    }
}

#[handler]
pub(crate) fn unit() {}

#[data]
#[serde(deny_unknown_fields)]
#[schemars(extend("additionalProperties" = false))]
pub(crate) struct Closed {
    text: String,
}

#[handler]
pub(crate) fn closed() -> Closed {
    Closed { text: "x".into() }
}

#[handler]
pub(crate) fn counts() -> BTreeMap<String, u32> {
    BTreeMap::from([("a".into(), 1)])
}

#[data]
#[serde(untagged)]
pub(crate) enum Tree {
    Leaf(u32),
    Branch { children: Vec<Tree> },
}

#[handler]
pub(crate) fn tree() -> Tree {
    Tree::Branch { children: vec![Tree::Leaf(1), Tree::Branch { children: Vec::new() }] }
}

/// A type that is an alternative of itself.
#[data]
#[serde(untagged)]
pub(crate) enum Endless {
    End(Vec<u32>),
    One(Box<Endless>),
    Two(Box<Endless>),
}

#[handler]
pub(crate) fn endless(#[check(len(1..))] given: Endless) -> Endless {
    given
}

impl butterfly::args::check::Length for Endless {
    fn length(&self) -> usize {
        1
    }
}

#[data]
pub(crate) struct OwnStat {
    stat: u32,
    text: String,
}

#[handler]
pub(crate) fn own_stat() -> OwnStat {
    OwnStat { stat: 7, text: "x".into() }
}

#[handler]
pub(crate) fn number_or_not(some: bool) -> Option<u32> {
    some.then_some(1)
}

#[handler]
pub(crate) fn object_or_not(some: bool) -> Option<Found> {
    some.then(|| Found { items: Vec::new(), total: 0 })
}

#[data]
pub(crate) struct Flat {
    name: String,
    #[serde(flatten)]
    shape: Option<Tagged>,
    #[serde(skip_serializing_if = "Option::is_none")]
    color: Option<Color>,
}

#[data]
#[serde(tag = "kind")]
pub(crate) enum Tagged {
    One { size: u32 },
    Two,
}

#[handler]
pub(crate) fn flat(some: bool) -> Flat {
    let shape = if some { Tagged::One { size: 1 } } else { Tagged::Two };
    Flat { name: "x".into(), shape: Some(shape), color: some.then_some(Color::Red) }
}
