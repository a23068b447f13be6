//! Whether code reads a variable, before it gives the variable another value.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Arm, Block, Expr, ExprAssign, ExprClosure, ExprForLoop, ExprIf, ExprLet, ExprPath, ExprWhile, Item,
    LocalInit, Macro, Stmt,
};

use super::pattern::{binds, condition_bindings};
use super::shape;

/// What comes first for a variable, from some point on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Its value is read.
    Read,
    /// It gets another value, or is hidden by another variable, or the function ends.
    Dead,
    /// Nothing happens to it here.
    Untouched,
    /// Nothing happens to it before this block is left by a plain `break`.
    Break,
    /// Nothing happens to it before this block is left by a plain `continue`.
    Continue,
}

/// Reads statements in order.
pub(super) fn scan(stmts: &mut [Stmt], name: &str) -> Fate {
    stmts
        .iter_mut()
        .map(|stmt| fate(stmt, name))
        .find(|fate| *fate != Fate::Untouched)
        .unwrap_or(Fate::Untouched)
}

fn fate(stmt: &mut Stmt, name: &str) -> Fate {
    if !shape::is_conditional_stmt(stmt) {
        return statement(stmt, name);
    }
    // It may be there or not: what it does to the variable is unknown.
    let known =
        !shape::has_word(&stmt.to_token_stream(), &[name]) && statement(stmt, name) == Fate::Untouched;
    if known { Fate::Untouched } else { Fate::Dead }
}

fn statement(stmt: &mut Stmt, name: &str) -> Fate {
    match stmt {
        Stmt::Local(local) => {
            let init = local.init.as_mut().map_or(Fate::Untouched, |init| initial(init, name));
            if init == Fate::Untouched && binds(&local.pat, name) { Fate::Dead } else { init }
        }
        Stmt::Expr(expr, _) => expression(expr, name),
        Stmt::Macro(stmt) if mentioned(&stmt.mac.tokens, name) => Fate::Read,
        Stmt::Macro(stmt) if shape::ends_function(&stmt.mac.path) => Fate::Dead,
        Stmt::Macro(_) | Stmt::Item(_) => Fate::Untouched,
    }
}

fn initial(init: &mut LocalInit, name: &str) -> Fate {
    // The way through `else` does not go on after the `let`, so only what it reads counts.
    match init.diverge.as_mut().is_some_and(|(_, otherwise)| mentions(otherwise, name)) {
        true => Fate::Read,
        false => expression(&mut init.expr, name),
    }
}

fn expression(expr: &mut Expr, name: &str) -> Fate {
    if mentions(expr, name) { Fate::Read } else { end(expr, name) }
}

/// What an expression that does not read the variable does to it on every way through.
fn end(expr: &mut Expr, name: &str) -> Fate {
    let ends = match expr {
        Expr::Break(expr) if expr.label.is_none() => return Fate::Break,
        Expr::Continue(expr) if expr.label.is_none() => return Fate::Continue,
        Expr::Break(_) | Expr::Continue(_) | Expr::Return(_) => true,
        Expr::Macro(expr) => shape::ends_function(&expr.mac.path),
        Expr::Block(expr) => scan(&mut expr.block.stmts, name) != Fate::Untouched,
        Expr::Unsafe(expr) => scan(&mut expr.block.stmts, name) != Fate::Untouched,
        Expr::Loop(expr) => scan(&mut expr.body.stmts, name) != Fate::Untouched,
        Expr::While(expr) => assigns(&mut expr.cond, name),
        Expr::ForLoop(expr) => assigns(&mut expr.expr, name),
        Expr::If(expr) => {
            let otherwise =
                expr.else_branch.as_mut().is_some_and(|(_, other)| end(other, name) != Fate::Untouched);
            assigns(&mut expr.cond, name)
                || otherwise && scan(&mut expr.then_branch.stmts, name) != Fate::Untouched
        }
        Expr::Match(expr) => {
            assigns(&mut expr.expr, name)
                || expr.arms.iter_mut().all(|arm| end(&mut arm.body, name) != Fate::Untouched)
        }
        other => assigns(other, name),
    };
    if ends { Fate::Dead } else { Fate::Untouched }
}

/// Whether an expression reads the variable's present value.
///
/// The visitor is the mutating one because that is the one the crate has; it changes nothing.
pub(super) fn mentions(expr: &mut Expr, name: &str) -> bool {
    let mut search = Search { name, found: false };
    search.visit_expr_mut(expr);
    search.found
}

struct Search<'a> {
    name: &'a str,
    found: bool,
}

impl VisitMut for Search<'_> {
    fn visit_expr_path_mut(&mut self, path: &mut ExprPath) {
        self.found |= path.qself.is_none() && path.path.is_ident(self.name);
    }

    fn visit_macro_mut(&mut self, mac: &mut Macro) {
        self.found |= mentioned(&mac.tokens, self.name);
    }

    fn visit_block_mut(&mut self, block: &mut Block) {
        self.found |= scan(&mut block.stmts, self.name) == Fate::Read;
    }

    fn visit_expr_assign_mut(&mut self, assign: &mut ExprAssign) {
        if !shape::is_variable(&assign.left, self.name) {
            self.visit_expr_mut(&mut assign.left);
        }
        self.visit_expr_mut(&mut assign.right);
    }

    fn visit_arm_mut(&mut self, arm: &mut Arm) {
        if !shape::is_conditional(&arm.attrs) && !binds(&arm.pat, self.name) {
            visit_mut::visit_arm_mut(self, arm);
        }
    }

    fn visit_expr_closure_mut(&mut self, closure: &mut ExprClosure) {
        if !closure.inputs.iter().any(|input| binds(input, self.name)) {
            self.visit_expr_mut(&mut closure.body);
        }
    }

    fn visit_expr_for_loop_mut(&mut self, each: &mut ExprForLoop) {
        self.visit_expr_mut(&mut each.expr);
        if !binds(&each.pat, self.name) {
            self.visit_block_mut(&mut each.body);
        }
    }

    fn visit_expr_let_mut(&mut self, condition: &mut ExprLet) {
        self.visit_expr_mut(&mut condition.expr);
    }

    fn visit_expr_if_mut(&mut self, branch: &mut ExprIf) {
        self.condition(&mut branch.cond, &mut branch.then_branch);
        if let Some((_, otherwise)) = &mut branch.else_branch {
            self.visit_expr_mut(otherwise);
        }
    }

    fn visit_expr_while_mut(&mut self, repeat: &mut ExprWhile) {
        self.condition(&mut repeat.cond, &mut repeat.body);
    }

    fn visit_item_mut(&mut self, _: &mut Item) {}
}

impl Search<'_> {
    fn condition(&mut self, cond: &mut Expr, body: &mut Block) {
        let hidden = condition_bindings(cond).iter().any(|binding| binding.name == self.name);
        // With several `let`s in a chain, a later part could mean either variable.
        if !hidden || matches!(cond, Expr::Let(_)) {
            self.visit_expr_mut(cond);
        }
        if !hidden {
            self.visit_block_mut(body);
        }
    }
}

/// Whether the tokens given to a macro name the variable, if only inside a format string: `"{name}"`.
fn mentioned(tokens: &TokenStream, name: &str) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => mentioned(&group.stream(), name),
        TokenTree::Literal(literal) => names_in_format(&literal.to_string()).any(|found| found == name),
        TokenTree::Punct(_) => false,
    })
}

fn names_in_format(literal: &str) -> impl Iterator<Item = &str> {
    literal.split('{').skip(1).map(|rest| rest.split(['}', ':']).next().unwrap_or(rest).trim())
}

/// Looks for an assignment to the variable.
struct Assignment<'a> {
    name: &'a str,
    found: bool,
}

impl VisitMut for Assignment<'_> {
    fn visit_expr_assign_mut(&mut self, assign: &mut ExprAssign) {
        self.found |= shape::is_variable(&assign.left, self.name);
        visit_mut::visit_expr_assign_mut(self, assign);
    }
}

fn assigns(expr: &mut Expr, name: &str) -> bool {
    let mut assignment = Assignment { name, found: false };
    assignment.visit_expr_mut(expr);
    assignment.found
}
