//! The function's parameters and the attributes on them.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::{Attribute, Expr, ExprLit, FnArg, Ident, ItemFn, Lit, Meta, Pat, PatType, Type};

use super::check::{self, Check};
use super::compact::compact;
use super::options::Options;
use super::path::segments;
use super::types;
use crate::errors::Errors;

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
    let ident = bound(&typed.pat, errors);
    let mut param = Param::new(ident.as_ref(), &typed.ty);
    typed.attrs.retain(|attribute| !take(attribute, &mut param, errors));
    ident?;
    param.source = source(&param.name, &typed.ty, options, errors)?;
    if !param.visible() && (param.default.is_some() || !param.checks.is_empty()) {
        errors.push(
            &typed.ty,
            format!("`{}` does not come from the caller: remove #[default] and #[check]", param.name),
        );
    }
    Some(param)
}

impl Param {
    fn new(ident: Option<&Ident>, ty: &Type) -> Self {
        let ident = ident.cloned().unwrap_or_else(|| Ident::new("_", Span::call_site()));
        let name = ident.unraw().to_string();
        let lower = name.to_ascii_lowercase();
        Self {
            ident,
            ty: ty.clone(),
            source: Source::Named,
            doc: String::new(),
            default: None,
            checks: Vec::new(),
            secret: ["password", "passwd", "secret", "token"].iter().any(|word| lower.contains(word)),
            name,
        }
    }
}

/// The name that a parameter's pattern binds: `name`, or `list` of `Json(list)`.
fn bound(pattern: &Pat, errors: &mut Errors) -> Option<Ident> {
    let (pattern, form) = match pattern {
        Pat::TupleStruct(wrapped)
            if wrapped.path.segments.last().is_some_and(|segment| segment.ident == "Json")
                && wrapped.elems.len() == 1 =>
        {
            (&wrapped.elems[0], "`Json(list): Json<T>`")
        }
        other => (other, "`name: T`"),
    };
    if let Pat::Ident(plain) = pattern {
        return Some(plain.ident.clone());
    }
    errors.push(
        pattern,
        format!("callers give parameters by name: write {form}, and take it apart inside the function"),
    );
    None
}

fn source(name: &str, ty: &Type, options: &Options, errors: &mut Errors) -> Option<Source> {
    let last = types::last_segment(ty);
    if let Type::Reference(reference) = ty
        && types::last_segment(&reference.elem).as_deref() == Some("Ctx")
    {
        if reference.mutability.is_some() {
            errors.push(ty, format!("the context is shared: write `{name}: &Ctx`"));
        }
        return Some(Source::Ctx);
    }
    if last.as_deref() == Some("Ctx") {
        errors.push(ty, format!("the context is borrowed: write `{name}: &Ctx`"));
        return Some(Source::Ctx);
    }
    if types::is_unnamed(ty) {
        errors.push(ty, format!("`{name}` needs a type that is written out, such as `{name}: String`"));
    } else if types::borrows(ty) || matches!(ty, Type::Reference(_)) {
        let owned = types::owned(ty);
        errors.push(
            ty,
            format!("`{name}` is borrowed, but a handler owns its arguments: write `{name}: {owned}`"),
        );
    }
    let in_path =
        options.path.as_ref().is_some_and(|path| segments(&path.value()).any(|segment| segment == name));
    Some(match last.as_deref() {
        Some("Body" | "Multipart") => Source::Stream,
        Some("Json") => Source::Body,
        _ if in_path => Source::Path,
        _ => Source::Named,
    })
}

/// Takes one attribute; false leaves it on the parameter.
fn take(attribute: &Attribute, param: &mut Param, errors: &mut Errors) -> bool {
    let name = compact(attribute.path());
    let param_name = &param.name;
    match name.as_str() {
        "doc" => append_doc(&mut param.doc, attribute),
        "secret" => {
            param.secret = true;
            if !matches!(attribute.meta, Meta::Path(_)) {
                errors.push(attribute, format!("`{param_name}`: #[secret] takes no value"));
            }
        }
        "default" => take_default(attribute, param, errors),
        "check" => check::parse(attribute, param, errors),
        "allow" | "expect" | "warn" | "deny" => return false,
        "cfg" | "cfg_attr" => errors.push(
            attribute,
            format!("`{param_name}` cannot be there under a condition: put #[{name}(..)] on the function"),
        ),
        other => errors.push(
            attribute,
            format!(
                "`{param_name}`: unknown attribute `{other}`; known are #[default(..)], #[check(..)], #[secret]"
            ),
        ),
    }
    true
}

fn take_default(attribute: &Attribute, param: &mut Param, errors: &mut Errors) {
    match attribute.parse_args::<Expr>() {
        Ok(_) if param.default.is_some() => {
            errors.push(attribute, format!("`{}` has two defaults: remove one", param.name));
        }
        Ok(expr) => param.default = Some(expr),
        Err(_) => {
            errors.push(attribute, format!("`{}`: a default is one value: #[default(1)]", param.name));
        }
    }
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

/// True when two parameters have one name.
pub(crate) fn any_twice(params: &[Param]) -> bool {
    (1..params.len()).any(|at| params[..at].iter().any(|before| before.name == params[at].name))
}

/// What holds between parameters: one context, one body, and a body only where it can be read.
fn check_together(params: &[Param], options: &Options, errors: &mut Errors) {
    for second in params.iter().filter(|param| param.source == Source::Ctx).skip(1) {
        errors
            .push(&second.ident, format!("`{}` is a second context: remove it, one is enough", second.name));
    }
    let mut bodies = params.iter().filter(|param| matches!(param.source, Source::Body | Source::Stream));
    let Some(first) = bodies.next() else { return };
    for Param { name, ident, .. } in bodies {
        errors.push(
            ident,
            format!("`{name}` is a second body, but a request has one: `{}` takes it already", first.name),
        );
    }
    let Param { name, ident, ty, .. } = first;
    let kind = options.kind();
    let reads = matches!(kind.as_str(), "upload" | "http");
    if first.source == Source::Stream && !reads {
        errors.push(
            ident,
            format!("`{name}` reads the body itself: write #[handler(upload)] above the function"),
        );
    }
    if first.source == Source::Body && kind == "upload" {
        errors.push(
            ty,
            format!("an upload reads the body itself: write `{name}: Body` or `{name}: Multipart`"),
        );
    }
}
