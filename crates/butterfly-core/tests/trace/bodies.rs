//! Functions with odd bodies: a careless probe would break each of them, or change what it does.
//!
//! They must compile without a warning, and give the results that they gave before they were traced. One long table on
//! purpose: each body stands alone, and one test walks them all, traced and not.

#![allow(
    clippy::let_and_return,
    clippy::needless_return,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the odd bodies are the point"
)]

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt::Debug;
use std::future::poll_fn;
use std::mem::take;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, RwLock};
use std::task::Poll;

use butterfly_macros::__traced as traced;

/// No `Debug`.
#[derive(Clone)]
struct Plain(u32);

#[derive(Debug, Clone, Default)]
struct Row {
    id: u32,
    name: String,
    inner: Inner,
}

#[derive(Debug, Clone, Default)]
struct Inner {
    count: u32,
    pair: (u8, u8),
}

/// Writes down when it is dropped.
struct Loud<'a>(&'a RefCell<String>, &'static str);

impl Drop for Loud<'_> {
    fn drop(&mut self) {
        self.0.borrow_mut().push_str(self.1);
    }
}

/// Gives up the thread once.
pub(crate) async fn pause() {
    let mut first = true;
    poll_fn(|_| if take(&mut first) { Poll::Pending } else { Poll::Ready(()) }).await;
}

#[traced]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

// The element's type is known only after the probe of `v`.
#[traced]
fn element_known_later() -> usize {
    let mut v = Vec::new();
    let mut map = HashMap::new();
    let none = None;
    v.push(Plain(1));
    map.insert("a", Plain(2));
    let _: &Option<Plain> = &none;
    v.len() + map.len()
}

#[traced]
fn parsed_later(text: &str) -> Result<u16, std::num::ParseIntError> {
    let n = text.parse()?;
    let d = Default::default();
    let sum: u16 = n;
    let extra: (u16, Option<Plain>) = d;
    Ok(sum + extra.0)
}

// Valid because nobody looks at the values again.
#[traced]
fn dangling_when_looked_at() -> usize {
    let _a = String::from("gone").as_str();
    #[allow(unused_variables)]
    let b = String::from("gone").as_str();
    #[allow(unused_variables)]
    let c = String::from("gone").as_str();
    let c = 3;
    #[allow(unused_assignments, unused_variables)]
    let mut d = String::from("gone").as_str();
    d = "here";
    #[allow(unused_assignments)]
    let mut e = String::from("gone").as_str();
    if c > 2 {
        e = "e";
    } else {
        e = "f";
    }
    let f = |c: usize| c + d.len() + e.len();
    f(c)
}

#[traced]
#[allow(unused_assignments)]
fn dangling_in_loops() -> usize {
    let mut x = "a";
    let mut n = 0;
    loop {
        x = "b";
        n += x.len();
        if n > 2 {
            break;
        }
        x = String::from("gone").as_str();
    }
    for _ in 0..2 {
        if n > 1 {
            x = String::from("gone").as_str();
            n += 1;
            continue;
        }
        n += 1;
    }
    x = "c";
    n + x.len()
}

#[traced]
fn mutable_references(mut list: Vec<u32>) -> u32 {
    let first = &mut list[0];
    *first += 1;
    let last = list.last_mut().unwrap();
    *last *= 2;
    let r = &mut list;
    r.push(4);
    let again = &mut *r;
    again.push(5);
    list.push(6);
    list.iter().sum()
}

#[traced]
fn moved_at_once(name: String) -> usize {
    let a = name;
    let b = a;
    let take = move || b.len();
    take()
}

#[traced]
fn patterns(row: Row, pair: (Option<u32>, [u8; 4])) -> u32 {
    let Row { id, name: ref shown, inner: Inner { count, pair: (left, right) } } = row;
    let (Some(n), [a, .., d]) = pair else { return 0 };
    let whole @ (x, _y) = (n, n);
    let mut total = id + count + u32::from(left) + u32::from(right) + shown.len() as u32;
    total += whole.0 + x + u32::from(a) + u32::from(d);
    total
}

#[traced]
fn ref_and_ref_mut(mut row: Row) -> String {
    let Row { ref mut name, ref mut id, .. } = row;
    name.push('!');
    *id += 1;
    match row {
        Row { ref name, id: n @ 1..=9, .. } => {
            let shown = format!("{name}{n}");
            shown
        }
        Row { id: 0, .. } | Row { .. } => String::new(),
    }
}

const LIMIT: u32 = 3;

enum Kind {
    None_,
    One(u32),
    Two { a: u32, b: u32 },
}

#[traced]
fn constants_in_patterns(n: u32) -> &'static str {
    use Kind::*;
    let kind = match n {
        LIMIT => {
            let two = Two { a: 1, b: 2 };
            two
        }
        0 => None_,
        other => {
            let more = other + 1;
            One(more)
        }
    };
    match kind {
        None_ => "none",
        One(n) if n > 5 => {
            let _big = n;
            "big"
        }
        One(_) => "one",
        Two { a, b } => {
            if a < b {
                "rising"
            } else {
                "falling"
            }
        }
    }
}

#[traced]
fn declared_then_given(flag: bool) -> String {
    let text;
    let count: u32;
    if flag {
        text = "yes".to_owned();
        count = 1;
    } else {
        text = "no".to_owned();
        count = 2;
    }
    format!("{text}{count}")
}

#[traced]
fn loops_and_labels() -> u32 {
    let mut n = 0;
    let found = 'outer: loop {
        for i in 0.. {
            n += i;
            if i == 3 {
                continue 'outer;
            }
            if n > 10 {
                break 'outer n;
            }
        }
    };
    let mut left = 3;
    while left > 0 {
        left -= 1;
        n += 1;
    }
    let mut stack = vec![1, 2];
    while let Some(top) = stack.pop() {
        if top == 2 {
            stack.push(0);
            continue;
        }
        n += top;
    }
    let value = 'block: {
        if n > 100 {
            break 'block 1;
        }
        2
    };
    found + n + value
}

#[traced]
fn shadowing(x: u32) -> String {
    let x = x + 1;
    let x = x.to_string();
    let x = {
        let x = format!("{x}!");
        x
    };
    if let Some(x) = x.strip_suffix('!') {
        let x = x.len();
        return x.to_string();
    }
    x
}

#[traced]
fn early_returns(n: i32) -> Result<i32, String> {
    if n < 0 {
        return Err(format!("{n} is negative"));
    }
    let half = if n % 2 == 0 { n / 2 } else { return Ok(n) };
    let Some(checked) = half.checked_sub(1) else {
        return Err("too small".into());
    };
    match checked {
        0 => return Ok(0),
        1 => return Err(String::from("one").to_uppercase()),
        _ => {}
    }
    return Ok(checked);
}

#[traced]
#[allow(clippy::never_loop)]
fn never(n: u32) -> u32 {
    if n == 1 {
        unreachable!()
    }
    let m: u32 = match n {
        2 => panic!("two"),
        other => other,
    };
    loop {
        return m;
    }
}

#[traced]
#[allow(unreachable_code, unused_variables, clippy::diverging_sub_expression)]
fn nothing_runs_after(n: u32) -> u32 {
    let x = return n;
    let y = 1;
    x
}

#[traced]
fn nothing() {}

#[traced]
fn only_items() -> u32 {
    const N: u32 = 2;
    fn twice(n: u32) -> u32 {
        let m = n * N;
        m
    }
    use std::cmp::max;
    struct Local(u32);
    macro_rules! three {
        () => {
            3
        };
    }
    let local = Local(twice(1));
    max(local.0, three!())
}

#[traced]
fn generic<T, U: Debug + Clone, const N: usize>(t: T, u: U, each: [T; N]) -> (T, U, usize) {
    let copy = u.clone();
    let all = (t, copy);
    let n = each.len();
    (all.0, all.1, n)
}

#[traced]
fn impl_arguments(
    text: impl Into<String>,
    show: &dyn Fn(&str) -> String,
    mut each: impl Iterator<Item = u8>,
) -> String {
    let text = text.into();
    let first = each.next();
    let shown = show(&text);
    format!("{shown}{first:?}")
}

#[traced]
fn impl_result(n: u32) -> impl Iterator<Item = u32> {
    let list = vec![n, n + 1];
    list.into_iter().map(move |x| x * n)
}

#[traced]
fn boxed_closure(n: u32) -> Box<dyn Fn(u32) -> u32> {
    let add = move |x| x + n;
    Box::new(move |x| add(x) * 2)
}

trait Shape {
    fn name(&self) -> String;
}

impl Debug for dyn Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name())
    }
}

impl Shape for &str {
    fn name(&self) -> String {
        (*self).to_owned()
    }
}

// `Debug` is there for `dyn Shape + 'static` alone.
#[traced]
fn debug_of_static_only(shape: &dyn Shape) -> String {
    let again: &dyn Shape = shape;
    let boxed: Box<dyn Shape + '_> = Box::new("in a box");
    again.name() + &boxed.name()
}

#[traced]
fn borrowed_result<'a>(list: &'a mut Vec<String>, key: &str) -> &'a mut String {
    let found = list.iter().position(|text| text == key);
    match found {
        Some(at) => &mut list[at],
        None => {
            list.push(key.to_owned());
            list.last_mut().unwrap()
        }
    }
}

#[traced]
fn elided(text: &str) -> &str {
    let rest = text.trim();
    rest
}

#[traced]
fn reference_kept_by_extension() -> usize {
    let a = &String::from("one");
    let b = { &String::from("three") };
    let c = &mut vec![1];
    c.push(2);
    let d = if a.len() > 1 { a.as_str() } else { b.as_str() };
    a.len() + b.len() + c.len() + d.len()
}

#[traced]
fn unsized_things(text: &str, bytes: &[u8], boxed: Box<str>, shared: Arc<[u8]>) -> usize {
    let part = &text[1..];
    let tail = &bytes[1..];
    let both: Box<[u8]> = [tail, &shared].concat().into();
    part.len() + both.len() + boxed.len()
}

#[traced]
fn closures_hold_loans() -> u32 {
    let mut n = 0;
    let mut add = |m: u32| n += m;
    add(1);
    add(2);
    n += 1;
    let cell = Cell::new(n);
    let bump = || cell.set(cell.get() + 1);
    bump();
    cell.get()
}

#[traced]
fn fields(mut row: Row) -> u32 {
    let mut pair = (1, 2);
    pair.0 = 5;
    row.id = 3;
    row.inner.count += 2;
    row.inner.pair.1 = 9;
    let name = &mut row.name;
    row.id += 1;
    name.push('x');
    let moved = row.name;
    row.id += 1;
    row.id + row.inner.count + u32::from(row.inner.pair.1) + pair.0 + pair.1 + moved.len() as u32
}

/// A guard with a target.
struct Guarded {
    row: Row,
}

impl Deref for Guarded {
    type Target = Row;
    fn deref(&self) -> &Row {
        &self.row
    }
}

impl DerefMut for Guarded {
    fn deref_mut(&mut self) -> &mut Row {
        &mut self.row
    }
}

#[traced]
fn fields_behind_guards(lock: &Mutex<Row>, row: &mut Row) -> u32 {
    let mut held = lock.lock().unwrap();
    held.id = 4;
    held.inner.count += 1;
    row.id = held.id + 1;
    let mut own = Guarded { row: row.clone() };
    own.id = 7;
    own.id + held.inner.count
}

/// A builder whose methods take it.
struct Chain(u32);

impl Chain {
    fn push(self, n: u32) -> u32 {
        self.0 + n
    }
    fn sort(self) -> u32 {
        self.0
    }
    fn clear(&mut self) {
        self.0 = 0;
    }
}

#[traced]
#[allow(unused_mut, unused_must_use)]
fn same_names_other_methods() -> u32 {
    let mut chain = Chain(1);
    chain.push(2);
    let mut chain = Chain(2);
    chain.sort();
    chain = Chain(3);
    chain.clear();
    chain.sort()
}

/// Hands out loans of itself.
struct Pool(u32);

impl Pool {
    fn append<'a>(&'a mut self, loans: &mut Vec<&'a mut u32>) {
        loans.push(&mut self.0);
    }
}

#[traced]
fn a_loan_that_is_kept() -> u32 {
    let mut pool = Pool(1);
    let mut loans = Vec::new();
    pool.append(&mut loans);
    *loans[0] += 1;
    pool.0
}

#[traced]
fn mutators() -> String {
    let mut list: Vec<u32> = Vec::new();
    list.push(3);
    list.extend([1, 2]);
    list.sort();
    list.retain(|n| *n > 1);
    let mut text = String::from("a");
    text.push_str("bc");
    let mut parts = text.split("bc").collect::<Vec<_>>();
    parts.dedup();
    let mut map = HashMap::new();
    map.insert(1, parts.len());
    let mut unknown = list.clone();
    unknown.reverse();
    format!("{list:?}{text}{map:?}{unknown:?}")
}

#[traced]
fn order_of_drops() -> String {
    let log = RefCell::new(String::new());
    {
        let (a, mut b) = (Loud(&log, "a"), Loud(&log, "b"));
        let c = Loud(&log, "c");
        b.1 = "B";
        log.borrow_mut().push_str(a.1);
        drop(c);
        if let Some(d) = Some(Loud(&log, "d")) {
            log.borrow_mut().push_str(d.1);
        }
    }
    log.into_inner()
}

#[traced]
fn tail_with_temporaries(lock: Mutex<Vec<u32>>) -> usize {
    let other = RwLock::new(3);
    let more = *other.read().unwrap();
    match Some(Mutex::new(1)) {
        Some(inner) => {
            let n = *inner.lock().unwrap();
            lock.lock().unwrap().push(n);
        }
        None => return 0,
    }
    lock.lock().unwrap().len() + more
}

#[traced]
fn conditional_code(n: u32) -> u32 {
    #[cfg(any())]
    let n = no_such_thing(n);
    #[cfg(not(any()))]
    let m = n + 1;
    #[cfg(any())]
    {
        m = 3;
    }
    let tuple = (m, 1);
    #[cfg(any())]
    use_of(tuple);
    match n {
        #[cfg(any())]
        7 => missing(),
        _ => {
            let x = tuple.0;
            x
        }
    }
}

#[traced]
fn one_tail_of_several(n: u32) -> u32 {
    #[cfg(not(any()))]
    match n {
        0 => 1,
        _ => {
            let m = n;
            m
        }
    }
    #[cfg(any())]
    {
        n.no_such_method()
    }
}

#[traced]
fn attributes_on_a_tail(n: u32) -> u32 {
    #[allow(clippy::identity_op)]
    u32::max(n, 2)
}

#[traced]
fn raw_identifiers(r#type: u32, 数: u32) -> u32 {
    let r#match = r#type + 1;
    let mut 和 = r#match + 数;
    和 += 1;
    和
}

#[traced]
fn statement_macros(n: u32) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    write!(text, "{n}").unwrap();
    assert!(n < 100, "too big");
    let list = vec![n; 2];
    for n in &list {
        write!(text, "{n}").unwrap();
    }
    text
}

#[traced]
fn secrets(password: &str) -> usize {
    let access_token = password.len();
    access_token
}

#[traced]
fn computed_by_the_compiler(n: u32) -> u32 {
    let m = const {
        let v = 1;
        v + 1
    };
    let zeros = [0; { 1 + 1 }];
    m + n + zeros[0]
}

#[traced]
fn macro_made() -> u32 {
    macro_rules! set {
        ($name:ident, $value:expr) => {
            let $name = $value;
        };
    }
    set!(a, 1);
    let b = a;
    macro_rules! read_b {
        () => {
            b
        };
    }
    let b = 5 + read_b!();
    b
}

#[traced]
fn chains(a: Option<u32>, b: Option<u32>) -> u32 {
    if let Some(a) = a {
        if let Some(b) = b {
            a + b
        } else if a > 1 {
            a
        } else {
            0
        }
    } else {
        1
    }
}

// The `Rc` must not be kept across the `.await`.
#[traced]
async fn rc_moved_before_await(n: u32) -> u32 {
    let rc = Rc::new(n);
    let m = open(rc);
    pause().await;
    let mut other = Holder { rc: Rc::new(m), n: 1 };
    other.n += 1;
    let (rest, k) = other.open();
    pause().await;
    let mut pointer = std::ptr::null::<u32>();
    if pointer.is_null() {
        pointer = &rest;
    }
    let k = k + u32::from(pointer.is_null());
    pause().await;
    {
        let scoped = Rc::new(Cell::new(k));
        scoped.set(scoped.get() + 1);
    }
    pause().await;
    k
}

/// Not `Send`, and with a field that can be assigned to.
struct Holder {
    rc: Rc<u32>,
    n: u32,
}

impl Holder {
    fn open(self) -> (u32, u32) {
        (self.n, open(self.rc))
    }
}

fn open(rc: Rc<u32>) -> u32 {
    Rc::try_unwrap(rc).unwrap_or_default()
}

#[traced]
async fn pointers_in_arms(n: Option<u32>) -> u32 {
    match n.as_ref().map(std::ptr::from_ref) {
        Some(pointer) => {
            let null = pointer.is_null();
            pause().await;
            u32::from(null)
        }
        None => {
            pause().await;
            1
        }
    }
}

#[traced]
async fn pointers_in_loops(list: Vec<u32>) -> u32 {
    let mut sum = 0;
    for cell in [1, 2].map(|n| std::ptr::null::<u32>().wrapping_add(n)) {
        sum += u32::from(cell.is_null());
        for n in &list {
            let rc = Rc::new(*n);
            sum += open(rc);
        }
    }
    for n in list {
        let rc = Rc::new(n);
        let mut held = Holder { rc, n: 1 };
        held.n += 1;
        sum += held.open().1;
        pause().await;
    }
    while let Some(mut pointer) = (sum < 10).then_some(std::ptr::null::<u32>()) {
        if pointer.is_null() {
            pointer = pointer.wrapping_add(1);
        }
        sum += 1 + u32::from(pointer.is_null());
        pause().await;
    }
    sum
}

#[traced]
async fn guard_given_back(lock: Arc<Mutex<u32>>) -> u32 {
    let guard = lock.lock().unwrap();
    let n = back(guard);
    pause().await;
    let (a, b) = (Rc::new(n), Rc::new(2));
    let sum = open(a) + open(b);
    pause().await;
    let pointer = &raw const sum;
    let same = std::ptr::eq(pointer, &sum);
    pause().await;
    sum + u32::from(same)
}

fn back(guard: std::sync::MutexGuard<'_, u32>) -> u32 {
    *guard + 1
}

#[traced]
async fn order_of_drops_across_awaits(log: &Mutex<String>) {
    let (a, mut b) = (Told(log, "a"), Told(log, "b"));
    let (c, d) = (Told(log, "c"), Told(log, "d"));
    b.1 = "B";
    pause().await;
    let (f, _g) = (Told(log, "f"), Told(log, "g"));
    log.lock().unwrap().push_str(f.1);
    pause().await;
    if let Some(e) = Some(Told(log, "e")) {
        pause().await;
        log.lock().unwrap().push_str(e.1);
    }
    let names = [a.1, b.1, c.1, d.1].concat();
    log.lock().unwrap().push_str(&names);
}

struct Told<'a>(&'a Mutex<String>, &'static str);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        self.0.lock().unwrap().push_str(self.1);
    }
}

#[traced]
async fn tail_borrows_from_the_arm(n: Option<u32>) -> u32 {
    match n.map(Mutex::new) {
        Some(own) => {
            pause().await;
            *own.lock().unwrap()
        }
        None => 0,
    }
}

#[traced]
async fn futures_in_variables(n: u32) -> u32 {
    let one = doubled(n);
    let two = doubled(n + 1);
    let boxed: Pin<Box<dyn Future<Output = u32> + Send>> = Box::pin(doubled(2));
    let block = async move {
        let inner = doubled(0).await;
        inner
    };
    let zero = block.await;
    zero + one.await + two.await + boxed.await
}

#[traced]
async fn doubled(n: u32) -> u32 {
    pause().await;
    n * 2
}

#[traced]
async fn questions(text: &str) -> Result<u32, Box<dyn std::error::Error + Send + Sync>> {
    let n: u32 = text.parse()?;
    let twice = doubled(n).await;
    let Some(less) = twice.checked_sub(2) else { Err("too small")? };
    if less == 0 {
        return Err("zero".into());
    }
    Ok(doubled(less).await)
}

#[traced]
fn recursive(n: u32) -> Pin<Box<dyn Future<Output = u32> + Send>> {
    Box::pin(async move { if n == 0 { 0 } else { n + recursive(n - 1).await } })
}

#[traced]
async fn recursive_async(n: u32) -> u32 {
    if n == 0 {
        return 0;
    }
    let rest = Box::pin(recursive_async(n - 1));
    let sum = rest.await;
    sum + n
}

#[traced]
async fn borrowed_across(text: &str, list: &mut Vec<String>) -> usize {
    let part = &text[..1];
    list.push(part.to_owned());
    pause().await;
    let last = list.last_mut();
    if let Some(last) = last {
        last.push('!');
        pause().await;
        last.push('?');
    }
    let mut own = vec![1];
    own.push(2);
    pause().await;
    list[0].len() + own.len() + part.len()
}

#[traced]
#[allow(non_snake_case)]
async fn lint_levels(n: u32) -> u32 {
    let someName = n;
    #[allow(unused_variables)]
    let unused = n;
    pause().await;
    someName
}

macro_rules! hidden_await {
    ($future:expr) => {
        $future.await
    };
}

#[traced]
async fn await_in_macro(n: u32) -> u32 {
    let rc = Rc::new(n);
    let n = open(rc);
    hidden_await!(pause());
    n
}

/// What [`results`] are without the trace.
pub(crate) const PLAIN: &[&str] = &[
    "3",
    "2",
    "(Ok(7), Err(ParseIntError { kind: InvalidDigit }))",
    "8",
    "6",
    "25",
    "3",
    "11",
    "0",
    r#""n!2""#,
    r#"["none", "one", "rising", "big"]"#,
    r#"("yes1", "no2")"#,
    "30",
    r#""1""#,
    r#"[Err("-1 is negative"), Ok(-1), Ok(1), Ok(0), Err("ONE"), Ok(3)]"#,
    "(3, 4, 3)",
    r#"(1, "u", 2)"#,
    r#""TEXTSome(1)""#,
    "[4, 6]",
    "6",
    r#""shapein a box""#,
    r#""b""#,
    r#"("x", 13)"#,
    "6",
    "(5, 25)",
    "8",
    r#"(0, 2, "[2, 3]abc{1: 2}[3, 2]")"#,
    r#"("acddBa", 4)"#,
    "(1, 2)",
    r#"(2, 5, "333")"#,
    "(7, 2, 6)",
    "[1, 0, 3]",
    "0",
];

/// What [`async_results`] are without the trace.
pub(crate) const ASYNC_PLAIN: &[&str] = &[
    "3",
    "(0, 1)",
    "10",
    "5",
    "10",
    "(6, 6)",
    "6",
    "(1, 2, 3)",
    r#""feeaBcdgfdcBa""#,
    "Err(ParseIntError { kind: InvalidDigit })",
    r#"Err("too small")"#,
    r#"Err("zero")"#,
    "Ok(8)",
];

/// Calls them all.
pub(crate) fn results() -> Vec<String> {
    let mut row = Row { id: 1, name: "n".into(), inner: Inner::default() };
    let mut list = vec!["a".to_owned()];
    let mut out = vec![
        show(add(1, 2)),
        show(element_known_later()),
        show((parsed_later("7"), parsed_later("x"))),
        show(dangling_when_looked_at()),
        show(dangling_in_loops()),
        show(mutable_references(vec![1, 2, 3])),
        show(moved_at_once("abc".into())),
        show(patterns(row.clone(), (Some(2), [1, 2, 3, 4]))),
        show(patterns(row.clone(), (None, [1, 2, 3, 4]))),
        show(ref_and_ref_mut(row.clone())),
        show([0, 1, 3, 9].map(constants_in_patterns)),
        show((declared_then_given(true), declared_then_given(false))),
        show(loops_and_labels()),
        show(shadowing(3)),
        show([-1, 0, 1, 2, 4, 8].map(early_returns)),
        show((never(3), nothing_runs_after(4), only_items())),
        show(generic(Plain(1).0, "u", [1, 2])),
        show(impl_arguments("text", &|text| text.to_uppercase(), [1].into_iter())),
        show(impl_result(2).collect::<Vec<_>>()),
        show(boxed_closure(1)(2)),
        show(debug_of_static_only(&"shape")),
        show(borrowed_result(&mut list, "b")),
        show((elided(" x "), reference_kept_by_extension())),
        show(unsized_things("abc", b"def", "g".into(), Arc::from(*b"h"))),
        show((closures_hold_loans(), fields(row.clone()))),
        show(fields_behind_guards(&Mutex::new(row.clone()), &mut row)),
        show((same_names_other_methods(), a_loan_that_is_kept(), mutators())),
        show((order_of_drops(), tail_with_temporaries(Mutex::new(vec![])))),
        show((one_tail_of_several(0), attributes_on_a_tail(1))),
        show((conditional_code(1), raw_identifiers(1, 2), statement_macros(3))),
        show((secrets("hunter2"), computed_by_the_compiler(0), macro_made())),
        show([(None, None), (Some(1), None), (Some(1), Some(2))].map(|(a, b)| chains(a, b))),
    ];
    nothing();
    out.push(show(generic(Plain(1), 2, []).2));
    out
}

/// Awaits them all; each future must be `Send`.
pub(crate) async fn async_results() -> Vec<String> {
    let log = Mutex::new(String::new());
    let mut list = vec![];
    send(order_of_drops_across_awaits(&log)).await;
    let mut out = vec![
        show(send(rc_moved_before_await(3)).await),
        show((send(pointers_in_arms(Some(3))).await, send(pointers_in_arms(None)).await)),
        show(send(pointers_in_loops(vec![1, 2])).await),
        show(send(guard_given_back(Arc::new(Mutex::new(1)))).await),
        show(send(futures_in_variables(1)).await),
        show((send(recursive(3)).await, send(recursive_async(3)).await)),
        show(send(borrowed_across("text", &mut list)).await),
        show((
            send(lint_levels(1)).await,
            send(await_in_macro(2)).await,
            send(tail_borrows_from_the_arm(Some(3))).await,
        )),
        show(log.lock().unwrap()),
    ];
    for text in ["x", "0", "1", "3"] {
        out.push(show(send(questions(text)).await));
    }
    out
}

fn send<T: Send>(future: T) -> T {
    future
}

fn show(value: impl Debug) -> String {
    format!("{value:?}")
}
