//! The function's parameters and the attributes on them.

use proc_macro2::Span;
use quote::ToTokens;
use syn::{Attribute, Expr, ExprLit, FnArg, Ident, ItemFn, Lit, Meta, Pat, PatType, Type};

use super::Errors;
use super::check::{self, Check};
use super::options::{Options, segments};
use super::types;

/// One parameter as the rest of the macro sees it.
pub(crate) struct Param {
    pub(crate) name: String,
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) source: Source,
    pub(crate) doc: String,
    pub(crate) default: Option<Expr>,
    pub(crate) checks: Vec<Check>,
    pub(crate) secret: bool,
}

/// Where a parameter's value comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Named,
    Path,
    Body,
    Ctx,
    Stream,
}

impl Param {
    pub(crate) fn optional(&self) -> bool {
        types::is_option(&self.ty)
    }

    /// The local that holds the argument in generated code.
    pub(crate) fn local(&self) -> Ident {
        Ident::new(&format!("arg_{}", self.name), Span::mixed_site().located_at(self.ident.span()))
    }

    pub(crate) fn visible(&self) -> bool {
        !matches!(self.source, Source::Ctx | Source::Stream)
    }
}

/// Reads the parameters and takes the macro's own attributes off the function.
pub(crate) fn read(func: &mut ItemFn, options: &Options, errors: &mut Errors) -> Vec<Param> {
    let mut params = Vec::new();
    for input in &mut func.sig.inputs {
        match input {
            FnArg::Receiver(receiver) => errors.push(
                receiver,
                "a handler is a free function: take what `self` holds from `ctx.state::<T>()?`",
            ),
            FnArg::Typed(typed) => params.extend(one(typed, options, errors)),
        }
    }
    check_together(&params, options, errors);
    params
}

fn one(typed: &mut PatType, options: &Options, errors: &mut Errors) -> Option<Param> {
    let Some(ident) = bound(&typed.pat) else {
        errors.push(&typed.pat, "give this parameter a plain name: callers use it");
        take_attributes(typed, "_", errors);
        return None;
    };
    let name = ident.to_string().trim_start_matches("r#").to_owned();
    let source = source(&name, &typed.ty, options, errors);
    let mut param = take_attributes(typed, &name, errors);
    param.ident = ident;
    param.ty = (*typed.ty).clone();
    param.source = source?;
    if !param.visible() && (param.default.is_some() || !param.checks.is_empty()) {
        errors.push(
            &typed.ty,
            format!("`{name}` does not come from the caller: remove #[default] and #[check]"),
        );
    }
    Some(param)
}

/// The name that a parameter's pattern binds: `name`, or `list` of `Json(list)`.
fn bound(pattern: &Pat) -> Option<Ident> {
    match pattern {
        Pat::Ident(plain) => Some(plain.ident.clone()),
        Pat::TupleStruct(wrapped) if wrapped.path.segments.last()?.ident == "Json" => {
            match wrapped.elems.first()? {
                Pat::Ident(inner) => Some(inner.ident.clone()),
                _ => None,
            }
        }
        _ => None,
    }
}

fn source(name: &str, ty: &Type, options: &Options, errors: &mut Errors) -> Option<Source> {
    let last = types::last_segment(ty);
    match ty {
        Type::Reference(reference) if types::last_segment(&reference.elem).as_deref() == Some("Ctx") => {
            if reference.mutability.is_some() {
                errors.push(ty, format!("`{name}`: the context is shared; write `{name}: &Ctx`"));
            }
            return Some(Source::Ctx);
        }
        Type::Reference(reference) => {
            let owned = types::owned(&reference.elem);
            errors.push(
                ty,
                format!("`{name}` is borrowed, but a handler owns its arguments: write `{name}: {owned}`"),
            );
            return None;
        }
        Type::ImplTrait(_) => {
            errors.push(ty, format!("`{name}` wants a type that can be named, such as `{name}: String`"));
            return None;
        }
        _ => {}
    }
    let in_path =
        options.path.as_ref().is_some_and(|path| segments(&path.value()).any(|segment| segment == name));
    match last.as_deref() {
        Some("Ctx") => {
            errors.push(ty, format!("the context is borrowed: write `{name}: &Ctx`"));
            None
        }
        Some("Body" | "Multipart") => Some(Source::Stream),
        Some("Json") => Some(Source::Body),
        _ if in_path => Some(Source::Path),
        _ => Some(Source::Named),
    }
}

fn take_attributes(typed: &mut PatType, name: &str, errors: &mut Errors) -> Param {
    let mut param = Param {
        name: name.to_owned(),
        ident: Ident::new("_unnamed", super::options::call_site()),
        ty: (*typed.ty).clone(),
        source: Source::Named,
        doc: String::new(),
        default: None,
        checks: Vec::new(),
        secret: ["password", "passwd", "secret", "token"]
            .iter()
            .any(|word| name.to_ascii_lowercase().contains(word)),
    };
    typed.attrs.retain(|attribute| !take_one(attribute, &mut param, errors));
    param
}

/// Takes one attribute; false leaves it on the parameter.
fn take_one(attribute: &Attribute, param: &mut Param, errors: &mut Errors) -> bool {
    let name = attribute.path().get_ident().map(Ident::to_string).unwrap_or_default();
    match name.as_str() {
        "doc" => append_doc(&mut param.doc, attribute),
        "secret" => param.secret = true,
        "default" => match attribute.parse_args::<Expr>() {
            Ok(_) if param.default.is_some() => {
                errors.push(attribute, format!("`{}` has two defaults: remove one", param.name));
            }
            Ok(expr) => param.default = Some(expr),
            Err(_) => {
                errors.push(attribute, format!("`{}`: a default is a value: #[default(1)]", param.name))
            }
        },
        "check" => check::parse(attribute, param, errors),
        "cfg" | "allow" | "expect" | "warn" => return false,
        other => errors.push(
            attribute,
            format!(
                "`{}`: unknown attribute `{other}`; known are #[default(..)], #[check(..)], #[secret]",
                param.name
            ),
        ),
    }
    true
}

/// Adds the line of a `#[doc]` attribute.
pub(crate) fn append_doc(doc: &mut String, attribute: &Attribute) {
    let Meta::NameValue(pair) = &attribute.meta else { return };
    let Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) = &pair.value else { return };
    if !doc.is_empty() {
        doc.push('\n');
    }
    let line = line.value();
    doc.push_str(line.strip_prefix(' ').unwrap_or(&line));
}

/// What holds between parameters: one context, one body, and a body only where it can be read.
fn check_together(params: &[Param], options: &Options, errors: &mut Errors) {
    let twice = |source: Source| params.iter().filter(move |param| param.source == source).nth(1);
    if let Some(second) = twice(Source::Ctx) {
        errors.push(&second.ident, format!("`{}` is a second context: one is enough", second.name));
    }
    let mut bodies = params.iter().filter(|param| matches!(param.source, Source::Body | Source::Stream));
    let first = bodies.next();
    if let Some(second) = bodies.next() {
        errors.push(&second.ident, format!("`{}` is a second body: a request has one", second.name));
    }
    let kind = options.kind();
    match first {
        Some(body) if body.source == Source::Stream && !matches!(kind.as_str(), "upload" | "http") => errors
            .push(
                &body.ident,
                format!("`{}` reads the body itself: write #[handler(upload)] above the function", body.name),
            ),
        Some(body) if body.source == Source::Body && kind == "upload" => errors.push(
            body.ty.to_token_stream(),
            format!(
                "an upload reads the body itself: write `{}: Body` or `{}: Multipart`",
                body.name, body.name
            ),
        ),
        _ => {}
    }
}
