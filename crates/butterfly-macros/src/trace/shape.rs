//! What can be told from the look of code alone. Every answer errs on the safe side.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Attribute, BinOp, Block, Expr, ExprCall, Ident, Local, Pat, Path, Stmt, Type, UnOp};

use super::field_name;

/// Macros known to hold no `.await` that is not written in their arguments.
const SYNC_MACROS: &str = " assert assert_eq assert_ne bail concat dbg debug debug_assert debug_assert_eq ensure env \
    eprint eprintln error event file format include_bytes include_str info json line matches panic print println \
    stringify todo trace unimplemented unreachable vec warn write writeln ";

/// Macros after which nothing runs.
const ENDING_MACROS: &str = " bail panic todo unimplemented unreachable ";

/// Types of the standard library whose mutating methods are known to take `&mut self` and to keep nothing.
const STD_TYPES: &str = " BTreeMap BTreeSet BinaryHeap HashMap HashSet String Vec VecDeque ";

/// How such a type is made; `from_utf8` is not here because it makes a `Result`.
const STD_MAKERS: &str = " default from from_iter new with_capacity ";

/// Methods that change a collection.
const MUTATORS: &str = " append clear dedup drain extend insert pop pop_back pop_front push push_back push_front \
    push_str remove resize retain reverse sort sort_by sort_by_key sort_unstable swap truncate ";

fn is_in(list: &str, ident: &Ident) -> bool {
    list.contains(&format!(" {ident} "))
}

fn last_in(list: &str, path: &Path) -> bool {
    path.segments.last().is_some_and(|segment| is_in(list, &segment.ident))
}

pub(super) fn ends_function(path: &Path) -> bool {
    last_in(ENDING_MACROS, path)
}

pub(super) fn mutates(method: &Ident) -> bool {
    is_in(MUTATORS, method)
}

/// Whether an operator is one of `+=`, `-=`, ...
pub(super) fn assigns(op: &BinOp) -> bool {
    use BinOp::{
        AddAssign, BitAndAssign, BitOrAssign, BitXorAssign, DivAssign, MulAssign, RemAssign, ShlAssign,
        ShrAssign, SubAssign,
    };
    matches!(
        op,
        AddAssign(_)
            | SubAssign(_)
            | MulAssign(_)
            | DivAssign(_)
            | RemAssign(_)
            | BitAndAssign(_)
            | BitOrAssign(_)
            | BitXorAssign(_)
            | ShlAssign(_)
            | ShrAssign(_)
    )
}

/// The variable that an expression is.
pub(super) fn variable(expr: &Expr) -> Option<&Ident> {
    match expr {
        Expr::Path(expr) if expr.qself.is_none() && expr.attrs.is_empty() => expr.path.get_ident(),
        _ => None,
    }
}

pub(super) fn is_variable(expr: &Expr, name: &str) -> bool {
    variable(expr).is_some_and(|ident| ident == name)
}

/// The variable that a chain of fields starts at, and the chain's name.
pub(super) fn place(expr: &Expr) -> Option<(&Ident, String)> {
    match expr {
        Expr::Field(expr) if expr.attrs.is_empty() => {
            let (ident, base) = place(&expr.base)?;
            Some((ident, field_name(&base, &expr.member)))
        }
        _ => variable(expr).map(|ident| (ident, ident.to_string())),
    }
}

/// Whether attributes may remove what they stand on.
pub(super) fn is_conditional(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr"))
}

/// Where a statement begins, after its attributes.
pub(super) fn start(stmt: &Stmt) -> Span {
    let mut tokens = stmt.to_token_stream().into_iter();
    loop {
        match tokens.next() {
            Some(TokenTree::Punct(hash)) if hash.as_char() == '#' => drop(tokens.next()),
            Some(token) => return token.span(),
            None => return stmt.span(),
        }
    }
}

/// Whether an attribute sets how a lint is treated.
pub(super) fn is_lint_level(attr: &Attribute) -> bool {
    ["allow", "warn", "deny"].iter().any(|level| attr.path().is_ident(level))
}

pub(super) fn is_conditional_stmt(stmt: &Stmt) -> bool {
    let tokens = stmt.to_token_stream();
    has_attributes(&tokens) && has_word(&tokens, &["cfg", "cfg_attr"])
}

fn has_attributes(tokens: &TokenStream) -> bool {
    matches!(tokens.clone().into_iter().next(), Some(TokenTree::Punct(hash)) if hash.as_char() == '#')
}

/// Whether a value can be given a name before it is returned, and nothing else changes by that.
pub(super) fn is_showable(expr: &Expr) -> bool {
    // Attributes may stand on a statement, but not on the value of a `let`.
    has_no_temporaries(expr) && !has_attributes(&expr.to_token_stream())
}

/// Whether the variables of a `let` must not be read: it may not be there, or its type hides behind `dyn`.
///
/// `impl Debug for dyn Trait` means `dyn Trait + 'static`, so showing a `&'a (dyn Trait + 'a)` would demand too much.
pub(super) fn is_opaque(local: &Local) -> bool {
    is_conditional(&local.attrs) || has_word(&local.pat.to_token_stream(), &["cfg", "cfg_attr", "dyn"])
}

pub(super) fn has_dyn(ty: &Type) -> bool {
    has_word(&ty.to_token_stream(), &["dyn"])
}

/// Whether a result of this type can be named in a `let`, and shown.
pub(super) fn is_plain_result(ty: &Type) -> bool {
    let unit = matches!(ty, Type::Tuple(tuple) if tuple.elems.is_empty());
    !unit && !matches!(ty, Type::Never(_)) && !has_word(&ty.to_token_stream(), &["dyn", "impl"])
}

pub(super) fn has_word(tokens: &TokenStream, words: &[&str]) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => words.iter().any(|word| ident == word),
        TokenTree::Group(group) => has_word(&group.stream(), words),
        _ => false,
    })
}

/// Whether `#[expect(..)]` stands anywhere.
pub(super) fn expects_lints(tokens: &TokenStream) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
            let stream = group.stream();
            let is_attribute = matches!(stream.clone().into_iter().next(),
                Some(TokenTree::Ident(name)) if name == "expect" || name == "cfg_attr");
            is_attribute && has_word(&stream, &["expect"]) || expects_lints(&stream)
        }
        TokenTree::Group(group) => expects_lints(&group.stream()),
        _ => false,
    })
}

/// Whether a future may be suspended somewhere in this code, be it inside a macro.
pub(super) fn may_await(tokens: &TokenStream) -> bool {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    tokens.iter().enumerate().any(|(at, token)| match token {
        TokenTree::Ident(ident) if ident == "await" => true,
        TokenTree::Ident(ident) => {
            let bang = matches!(tokens.get(at + 1), Some(TokenTree::Punct(bang)) if bang.as_char() == '!');
            bang && matches!(tokens.get(at + 2), Some(TokenTree::Group(_))) && !is_in(SYNC_MACROS, ident)
        }
        TokenTree::Group(group) => may_await(&group.stream()),
        _ => false,
    })
}

pub(super) fn is_std_type(ty: &Type) -> bool {
    matches!(ty, Type::Path(ty) if ty.qself.is_none() && last_in(STD_TYPES, &ty.path))
}

/// Whether a `let` makes one variable, a collection of the standard library.
pub(super) fn is_std_local(local: &Local) -> bool {
    match &local.pat {
        Pat::Type(pat) => matches!(*pat.pat, Pat::Ident(_)) && is_std_type(&pat.ty),
        Pat::Ident(_) => local.init.as_ref().is_some_and(|init| makes_std(&init.expr)),
        _ => false,
    }
}

fn makes_std(expr: &Expr) -> bool {
    match expr {
        Expr::Call(ExprCall { func, .. }) => matches!(&**func, Expr::Path(func) if is_std_maker(&func.path)),
        Expr::Macro(expr) => last_in(" format vec ", &expr.mac.path),
        Expr::MethodCall(call) if call.method == "collect" => call
            .turbofish
            .as_ref()
            .and_then(|types| types.args.first())
            .is_some_and(|arg| matches!(arg, syn::GenericArgument::Type(ty) if is_std_type(ty))),
        Expr::MethodCall(call) => call.args.is_empty() && is_in(" to_string to_vec ", &call.method),
        _ => false,
    }
}

fn is_std_maker(path: &Path) -> bool {
    let mut segments = path.segments.iter().rev();
    segments.next().is_some_and(|maker| is_in(STD_MAKERS, &maker.ident))
        && segments.next().is_some_and(|ty| is_in(STD_TYPES, &ty.ident))
}

/// Whether the value of a block may leave temporaries behind, with destructors that run after the block.
pub(super) fn tail_has_temporaries(block: &Block) -> bool {
    match block.stmts.last() {
        Some(Stmt::Expr(expr, None)) => !has_no_temporaries(expr),
        Some(Stmt::Macro(tail)) => tail.semi_token.is_none(),
        _ => false,
    }
}

/// Whether evaluating an expression surely makes no temporaries that live on: a temporary comes to be where a value
/// stands in a place's stead, as the receiver of a method or behind `&`.
fn has_no_temporaries(expr: &Expr) -> bool {
    match expr {
        Expr::Lit(_) | Expr::Path(_) => true,
        Expr::Field(_) => is_place(expr),
        Expr::Paren(expr) => has_no_temporaries(&expr.expr),
        Expr::Try(expr) => has_no_temporaries(&expr.expr),
        Expr::Await(expr) => has_no_temporaries(&expr.base),
        Expr::Cast(expr) => has_no_temporaries(&expr.expr),
        Expr::Reference(expr) => is_place(&expr.expr),
        Expr::Unary(expr) if matches!(expr.op, UnOp::Deref(_)) => is_place(&expr.expr),
        Expr::Unary(expr) => has_no_temporaries(&expr.expr),
        // Comparisons borrow both sides, other operators take them.
        Expr::Binary(expr) if compares(&expr.op) => is_simple(&expr.left) && is_simple(&expr.right),
        Expr::Binary(expr) => has_no_temporaries(&expr.left) && has_no_temporaries(&expr.right),
        Expr::Tuple(expr) => expr.elems.iter().all(has_no_temporaries),
        Expr::Array(expr) => expr.elems.iter().all(has_no_temporaries),
        Expr::Call(expr) => matches!(*expr.func, Expr::Path(_)) && expr.args.iter().all(has_no_temporaries),
        Expr::MethodCall(expr) => is_simple(&expr.receiver) && expr.args.iter().all(has_no_temporaries),
        Expr::Struct(expr) => {
            expr.rest.as_deref().is_none_or(is_place)
                && expr.fields.iter().all(|field| field.attrs.is_empty() && has_no_temporaries(&field.expr))
        }
        // It evaluates its arguments in a statement of its own.
        Expr::Macro(expr) => last_in(" format ", &expr.mac.path),
        _ => false,
    }
}

fn compares(op: &BinOp) -> bool {
    use BinOp::{Eq, Ge, Gt, Le, Lt, Ne};
    matches!(op, Eq(_) | Ne(_) | Lt(_) | Le(_) | Gt(_) | Ge(_))
}

fn is_simple(expr: &Expr) -> bool {
    matches!(expr, Expr::Lit(_)) || is_place(expr)
}

fn is_place(expr: &Expr) -> bool {
    match expr {
        Expr::Path(_) => true,
        Expr::Field(expr) => is_place(&expr.base),
        Expr::Paren(expr) => is_place(&expr.expr),
        Expr::Unary(expr) => matches!(expr.op, UnOp::Deref(_)) && is_place(&expr.expr),
        _ => false,
    }
}
