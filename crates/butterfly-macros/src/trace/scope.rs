//! The variables in scope at a point of the walk, and the code that comes after it.

use quote::ToTokens;
use syn::{Expr, Stmt};

use super::mention::{Fate, mentions, scan};
use super::pattern::Binding;
use super::shape;

/// A variable.
#[derive(Clone)]
pub(super) struct Var {
    pub(super) name: String,
    pub(super) mutable: bool,
    /// A probe may borrow it.
    pub(super) lend: bool,
    /// It is an owned collection of the standard library.
    pub(super) std: bool,
    /// No probe may read it.
    pub(super) opaque: bool,
}

impl Var {
    pub(super) fn new(binding: &Binding, lend: bool, opaque: bool) -> Self {
        let (name, mutable) = (binding.name.clone(), binding.mutable);
        Self { name, mutable, lend, std: false, opaque }
    }
}

/// What runs again after the end of a block that is the body of a loop.
pub(super) struct Again {
    pub(super) cond: Option<Expr>,
    pub(super) body: Vec<Stmt>,
}

impl Again {
    fn scan(&mut self, name: &str) -> Fate {
        if self.cond.as_mut().is_some_and(|cond| mentions(cond, name)) {
            return Fate::Read;
        }
        scan(&mut self.body, name)
    }
}

struct Scope {
    vars: Vec<Var>,
    /// The statements of the block as the user wrote them.
    stmts: Vec<Stmt>,
    /// How many of them have begun.
    begun: usize,
    again: Option<Again>,
}

/// The blocks around a point, from the outside in.
#[derive(Default)]
pub(super) struct Scopes(Vec<Scope>);

impl Scopes {
    pub(super) fn open(&mut self, stmts: Vec<Stmt>, vars: Vec<Var>, again: Option<Again>) {
        self.0.push(Scope { vars, stmts, begun: 0, again });
    }

    pub(super) fn close(&mut self) {
        self.0.pop();
    }

    pub(super) fn step(&mut self) {
        self.0.iter_mut().last().into_iter().for_each(|scope| scope.begun += 1);
    }

    pub(super) fn is_outermost(&self) -> bool {
        self.0.len() == 1
    }

    pub(super) fn declare(&mut self, vars: impl Iterator<Item = Var>) {
        if let Some(scope) = self.0.last_mut() {
            scope.vars.extend(vars);
        }
    }

    /// The variable that a name means here.
    pub(super) fn find(&self, name: &str) -> Option<&Var> {
        self.0.iter().rev().find_map(|scope| scope.vars.iter().rev().find(|var| var.name == name))
    }

    /// Whether an `.await` may follow in the innermost block.
    pub(super) fn rest_awaits(&self) -> bool {
        let rest = self.0.last().and_then(|scope| scope.stmts.get(scope.begun..)).unwrap_or_default();
        rest.iter().any(|stmt| shape::may_await(&stmt.to_token_stream()))
    }

    /// Whether the user's code goes on to read the value that the variable has now.
    ///
    /// Errs towards "no".
    pub(super) fn live(&mut self, name: &str) -> bool {
        let mut left = Fate::Untouched;
        for scope in self.0.iter_mut().rev() {
            if left == Fate::Untouched {
                left = scan(scope.stmts.get_mut(scope.begun..).unwrap_or_default(), name);
            }
            if matches!(left, Fate::Read | Fate::Dead) || scope.vars.iter().any(|var| var.name == name) {
                break;
            }
            if let Some(again) = &mut scope.again {
                left = match left {
                    Fate::Break => Fate::Untouched,
                    _ => match again.scan(name) {
                        Fate::Break | Fate::Continue => Fate::Dead,
                        fate => fate,
                    },
                };
            }
        }
        left == Fate::Read
    }
}
