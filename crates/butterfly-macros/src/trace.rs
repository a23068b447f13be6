//! Writes the probes of the line-by-line trace into a function; `butterfly_core::trace` is what they call.
//!
//! **The rule: a probe never changes what the user's code means, and never makes valid code invalid.** So a probe is
//! always a statement of its own, it is under `#[cfg(debug_assertions)]`, and it reads a variable only where reading
//! is known to be allowed. The argument, per kind of probe:
//!
//! - *Line probes* stand before a statement and read nothing. Tail expressions stay tail expressions.
//! - *After a binding* (`let` with a value, the start of an arm, a loop body or a branch) the variable is
//!   initialised, and nothing else can have borrowed it yet. One thing can still forbid the read: the value may borrow
//!   a temporary that died at the end of the `let`, which is valid as long as nobody looks: so a variable is read
//!   only if the user's code reads that very value later, because then the loan had to be alive here anyway
//!   ([`Scopes::live`]). Patterns of arms and loops need no such check: no temporary dies before the body starts.
//! - *After an assignment* to a variable or field, no other loan of that place can be alive, or the assignment
//!   itself would not have compiled; the place is initialised; and it must be read later, as above.
//! - *After a mutating method* of a collection of the standard library, the same: the method took `&mut`.
//! - *In async functions* a variable that was ever borrowed counts as kept across every `.await` in its scope, even when
//!   it has been moved away before: a borrow of an `Rc` would make the future not `Send`. So there, unless the scope
//!   has no further `.await`, a probe moves the variable through a function instead: `let x = pass(x)` when it is
//!   new, `x = pass(x)` when it was assigned to. Parameters are part of the future anyway, and may be borrowed.
//! - *What is returned* is shown when the expression makes no temporaries, so that naming the value first
//!   (`let r: T = tail; show(&r); r`) moves no destructor to another time.
//!
//! Closures, async blocks, nested items, `unsafe` and `const` blocks and the inside of macros are left alone, and so is a whole
//! function that uses `#[expect]`: a lint that a probe happens to silence would turn into a warning.
//!
//! Three exotic things remain that a macro cannot see: a `Debug` that exists for `'static` only
//! (`impl Debug for dyn Trait` and a variable of an inferred type `&dyn Trait`), an assignment to a field of a packed
//! struct or of a union, and a constant with a lower-case name used as a pattern around an `.await`.

mod mention;
mod pattern;
mod probe;
mod scope;
mod shape;
#[cfg(test)]
mod tests;

use std::mem::take;

use pattern::{Binding, bindings, condition_bindings};
use probe::Probes;
use proc_macro2::Span;
use quote::ToTokens;
use scope::{Again, Scopes, Var};
use syn::{Attribute, Block, Expr, FnArg, ItemFn, Local, Member, Pat, PatType, Stmt};

/// Instruments a function in place.
///
/// The code it writes expects what `butterfly_core::trace` exports under `::butterfly::__private::trace`.
pub(crate) fn instrument(func: &mut ItemFn) {
    let sig = &func.sig;
    if sig.constness.is_some() || sig.variadic.is_some() || shape::expects_lints(&func.to_token_stream()) {
        return;
    }
    let params: Vec<&PatType> = sig.inputs.iter().filter_map(typed).collect();
    let mut walk = Walk {
        scopes: Scopes::default(),
        is_async: sig.asyncness.is_some(),
        probes: Probes::new(&sig.output),
    };
    let mut head = walk.probes.enter(&sig.ident);
    head.extend(params.iter().filter_map(|param| given(&walk.probes, param)));
    head.push(walk.probes.call(sig.ident.span()));
    let vars = params.iter().flat_map(|param| parameter_vars(param, walk.is_async)).collect();
    walk.block(&mut func.block, vars, None);
    head.append(&mut func.block.stmts);
    func.block.stmts = head;
}

fn typed(input: &FnArg) -> Option<&PatType> {
    match input {
        FnArg::Typed(param) => Some(param),
        FnArg::Receiver(_) => None,
    }
}

/// Parameters that are destructured are not shown: a part may be less `Send` than the whole.
fn given(probes: &Probes, param: &PatType) -> Option<Stmt> {
    let Pat::Ident(pat) = &*param.pat else { return None };
    let readable = !shape::is_conditional(&param.attrs) && !shape::has_dyn(&param.ty);
    (readable && pattern::is_variable(&pat.ident, true)).then(|| probes.given(&pat.ident))
}

fn parameter_vars(param: &PatType, is_async: bool) -> Vec<Var> {
    let opaque = shape::is_conditional(&param.attrs) || shape::has_dyn(&param.ty);
    let lend = !is_async || matches!(&*param.pat, Pat::Ident(_));
    let vars = bindings(&param.pat)
        .into_iter()
        .map(|binding| Var { std: shape::is_std_type(&param.ty), ..Var::new(&binding, lend, opaque) });
    vars.collect()
}

/// How the bindings of a pattern are to be reported.
struct Report<'a> {
    /// They may be borrowed; else they are moved through.
    lend: bool,
    /// Only those are read whose value the user reads, too.
    only_live: bool,
    /// Every name that is not capitalised is a variable, never a constant.
    irrefutable: bool,
    /// Lint levels that a second binding of the same name needs, too.
    attrs: &'a [Attribute],
}

struct Walk {
    scopes: Scopes,
    is_async: bool,
    probes: Probes,
}

impl Walk {
    fn block(&mut self, block: &mut Block, vars: Vec<Var>, again: Option<Again>) {
        self.scopes.open(block.stmts.clone(), vars, again);
        block.stmts = self.statements(take(&mut block.stmts));
        self.scopes.close();
    }

    fn statements(&mut self, stmts: Vec<Stmt>) -> Vec<Stmt> {
        let (mut out, last) = (Vec::new(), stmts.len().saturating_sub(1));
        for (at, stmt) in stmts.into_iter().enumerate() {
            self.scopes.step();
            // Of statements under a `#[cfg]`, another than the last one written may turn out to be the tail: nothing
            // may follow it.
            let conditional = shape::is_conditional_stmt(&stmt);
            if !conditional && !matches!(stmt, Stmt::Item(_)) {
                out.push(self.probes.line(shape::start(&stmt)));
            }
            match stmt {
                Stmt::Local(local) => self.local(local, &mut out),
                Stmt::Expr(mut expr, semi) if !conditional => {
                    self.descend(&mut expr);
                    let is_tail = at == last && semi.is_none();
                    if matches!(expr, Expr::Return(_)) || is_tail && self.scopes.is_outermost() {
                        out.extend(self.probes.leave(expr, semi));
                        continue;
                    }
                    let changed = if is_tail { None } else { self.changed(&expr) };
                    out.push(Stmt::Expr(expr, semi));
                    out.extend(changed);
                }
                other => out.push(other),
            }
        }
        out
    }

    fn local(&mut self, mut local: Local, out: &mut Vec<Stmt>) {
        if let Some(init) = &mut local.init {
            self.descend(&mut init.expr);
            if let Some((_, otherwise)) = &mut init.diverge {
                self.descend(otherwise);
            }
        }
        let found = bindings(&local.pat);
        let opaque = shape::is_opaque(&local);
        let lend = !self.is_async || !self.scopes.rest_awaits();
        let std = shape::is_std_local(&local);
        self.scopes.declare(found.iter().map(|binding| Var { std, ..Var::new(binding, lend, opaque) }));
        let report = Report {
            lend,
            only_live: true,
            irrefutable: local.init.as_ref().is_some_and(|init| init.diverge.is_none()),
            attrs: &local.attrs,
        };
        let reports = match &local.init {
            Some(init) if !opaque && !matches!(*init.expr, Expr::Closure(_) | Expr::Async(_)) => {
                self.report(&found, &report)
            }
            _ => Vec::new(),
        };
        out.push(Stmt::Local(local));
        out.extend(reports);
    }

    /// Finds the blocks in an expression that run as part of this function.
    fn descend(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Block(expr) => self.block(&mut expr.block, Vec::new(), None),
            Expr::If(expr) => {
                self.branch(&mut expr.then_branch, condition_bindings(&expr.cond), &[], None);
                if let Some((_, otherwise)) = &mut expr.else_branch {
                    self.descend(otherwise);
                }
            }
            Expr::Match(expr) => expr.arms.iter_mut().for_each(|arm| {
                let found = bindings(&arm.pat);
                self.arm(&mut arm.body, found, &arm.attrs);
            }),
            Expr::Loop(expr) => self.branch(&mut expr.body, Vec::new(), &[], Some(None)),
            Expr::ForLoop(expr) => self.branch(&mut expr.body, bindings(&expr.pat), &[], Some(None)),
            Expr::While(expr) => {
                let cond = Some((*expr.cond).clone());
                self.branch(&mut expr.body, condition_bindings(&expr.cond), &[], Some(cond));
            }
            Expr::Assign(expr) => self.descend(&mut expr.right),
            Expr::Paren(expr) => self.descend(&mut expr.expr),
            Expr::Break(expr) => expr.expr.iter_mut().for_each(|value| self.descend(value)),
            Expr::Return(expr) => expr.expr.iter_mut().for_each(|value| self.descend(value)),
            _ => {}
        }
    }

    fn arm(&mut self, body: &mut Expr, found: Vec<Binding>, attrs: &[Attribute]) {
        match body {
            Expr::Block(body) => self.branch(&mut body.block, found, attrs, None),
            other => {
                let vars = found.iter().map(|binding| Var::new(binding, !self.is_async, false)).collect();
                self.scopes.open(Vec::new(), vars, None);
                self.descend(other);
                self.scopes.close();
            }
        }
    }

    /// A block that starts with new variables. `again` is there for the body of a loop, with the loop's condition.
    fn branch(
        &mut self,
        body: &mut Block,
        found: Vec<Binding>,
        attrs: &[Attribute],
        again: Option<Option<Expr>>,
    ) {
        let lend = !self.is_async || !shape::may_await(&body.to_token_stream());
        let vars = found.iter().map(|binding| Var::new(binding, lend, false)).collect();
        let again = again.map(|cond| Again { cond, body: body.stmts.clone() });
        self.scopes.open(body.stmts.clone(), vars, again);
        // Before edition 2024, temporaries of the tail live longer than a variable bound again inside the block would.
        let mut out = Vec::new();
        if lend || !shape::tail_has_temporaries(body) {
            out = self.report(&found, &Report { lend, only_live: !lend, irrefutable: false, attrs });
        }
        out.append(&mut self.statements(take(&mut body.stmts)));
        body.stmts = out;
        self.scopes.close();
    }

    /// The probes for new bindings.
    ///
    /// A variable that is bound again is dropped before all of its pattern that stayed where it was. To keep the order of
    /// destructors, that is only done when everything after it in the pattern is bound again, too.
    fn report(&mut self, found: &[Binding], how: &Report<'_>) -> Vec<Stmt> {
        let (mut out, mut order_kept) = (Vec::new(), true);
        for binding in found.iter().rev() {
            let shown =
                binding.is_variable(how.irrefutable) && (!how.only_live || self.scopes.live(&binding.name));
            if shown && how.lend {
                out.push(self.probes.see(&binding.ident));
            } else if shown && order_kept {
                out.extend(self.probes.rebind(binding, how.attrs).into_iter().rev());
            } else {
                order_kept = false;
            }
        }
        out.reverse();
        out
    }

    /// The probe for what a statement may have changed.
    fn changed(&mut self, expr: &Expr) -> Option<Stmt> {
        match expr {
            Expr::Assign(expr) if expr.attrs.is_empty() => self.assigned(&expr.left),
            Expr::Binary(expr) if expr.attrs.is_empty() && shape::assigns(&expr.op) => {
                self.assigned(&expr.left)
            }
            Expr::MethodCall(call) if call.attrs.is_empty() && shape::mutates(&call.method) => {
                let ident = shape::variable(&call.receiver)?;
                let var = self.known(ident)?;
                // The method of a std collection borrowed the variable, so that one borrow more makes no difference to
                // a future. Of another type's method this is known: it was given nothing that could keep a loan,
                // and it did not take the variable, for that is used later without having been given a new value.
                let sound = var.std || var.lend && call.args.is_empty();
                (sound && var.mutable && self.scopes.live(&var.name)).then(|| self.probes.see(ident))
            }
            _ => None,
        }
    }

    fn assigned(&mut self, left: &Expr) -> Option<Stmt> {
        let (ident, path) = shape::place(left)?;
        let var = self.known(ident)?;
        if !self.scopes.live(&var.name) {
            None
        } else if var.lend {
            Some(self.probes.see_place(left, &path))
        } else {
            (var.mutable && matches!(left, Expr::Path(_))).then(|| self.probes.swap(ident))
        }
    }

    fn known(&self, ident: &syn::Ident) -> Option<Var> {
        self.scopes.find(&ident.to_string()).filter(|var| !var.opaque).cloned()
    }
}

/// A span at the user's line that belongs to this macro: its names cannot clash, and lints leave it alone.
fn ours(at: Span) -> Span {
    Span::mixed_site().located_at(at)
}

/// The printed form of a field: `order.items.0`.
fn field_name(base: &str, member: &Member) -> String {
    match member {
        Member::Named(name) => format!("{base}.{name}"),
        Member::Unnamed(index) => format!("{base}.{}", index.index),
    }
}
