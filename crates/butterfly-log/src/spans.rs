//! The spans that are open, kept as the text that goes before an event's message.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata};

use crate::text::TextFields;

thread_local! {
    /// The spans this thread is in, innermost last.
    static ENTERED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

#[derive(Default)]
pub(crate) struct Spans(RwLock<HashMap<u64, Span>>);

struct Span {
    meta: &'static Metadata<'static>,
    /// `name` or `name{key=value …}`, escaped.
    fields: Vec<u8>,
    parent: Option<u64>,
    /// How many handles, entered scopes and children hold it.
    holders: usize,
}

impl Spans {
    pub(crate) fn open(&self, span: &Attributes<'_>) -> Id {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let mut fields = TextFields::default();
        span.record(&mut fields);
        let parent = if span.is_contextual() { innermost() } else { span.parent().map(Id::into_u64) };
        let mut spans = self.write();
        let parent = parent.filter(|parent| hold(&mut spans, *parent));
        let meta = span.metadata();
        spans.insert(id, Span { meta, fields: fields.into_span_text(), parent, holders: 1 });
        Id::from_u64(id)
    }

    pub(crate) fn record(&self, id: &Id, values: &Record<'_>) {
        let mut fields = TextFields::default();
        values.record(&mut fields);
        if let Some(span) = self.write().get_mut(&id.into_u64()) {
            span.fields.extend_from_slice(&fields.into_span_text());
        }
    }

    pub(crate) fn hold(&self, id: &Id) {
        hold(&mut self.write(), id.into_u64());
    }

    /// Lets go of a span and tells whether that closed it; its parents may close with it.
    pub(crate) fn release(&self, id: &Id) -> bool {
        let mut spans = self.write();
        let mut next = Some(id.into_u64());
        let mut closed = 0;
        while let Some(id) = next {
            next = release(&mut spans, id);
            closed += usize::from(!spans.contains_key(&id));
        }
        closed > 0
    }

    /// The innermost span of this thread that this log knows.
    pub(crate) fn current(&self) -> Option<(Id, &'static Metadata<'static>)> {
        let id = innermost()?;
        let meta = self.read().get(&id)?.meta;
        Some((Id::from_u64(id), meta))
    }

    /// Gives `each` the name and fields of the spans around an event, outermost first.
    pub(crate) fn around(&self, event: &Event<'_>, mut each: impl FnMut(&str, &[u8])) {
        let id = if event.is_contextual() { innermost() } else { event.parent().map(Id::into_u64) };
        // Most events are in no span, and then nothing is locked.
        if let Some(id) = id {
            visit(&self.read(), id, &mut each);
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<u64, Span>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<u64, Span>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn enter(id: &Id) {
    let _ = ENTERED.try_with(|entered| entered.borrow_mut().push(id.into_u64()));
}

pub(crate) fn exit(id: &Id) {
    let _ = ENTERED.try_with(|entered| {
        let mut entered = entered.borrow_mut();
        // Usually the last, but scopes need not nest.
        if let Some(at) = entered.iter().rposition(|entered| *entered == id.into_u64()) {
            entered.remove(at);
        }
    });
}

fn innermost() -> Option<u64> {
    ENTERED.try_with(|entered| entered.borrow().last().copied()).ok().flatten()
}

fn hold(spans: &mut HashMap<u64, Span>, id: u64) -> bool {
    let span = spans.get_mut(&id);
    span.map(|span| span.holders += 1).is_some()
}

/// Lets go of one span; returns its parent when it closed.
fn release(spans: &mut HashMap<u64, Span>, id: u64) -> Option<u64> {
    let span = spans.get_mut(&id)?;
    span.holders -= 1;
    if span.holders > 0 {
        return None;
    }
    spans.remove(&id)?.parent
}

fn visit(spans: &HashMap<u64, Span>, id: u64, each: &mut impl FnMut(&str, &[u8])) {
    let Some(span) = spans.get(&id) else { return };
    if let Some(parent) = span.parent {
        visit(spans, parent, each);
    }
    each(span.meta.name(), &span.fields);
}
