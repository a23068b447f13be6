//! What a handler's signature may not have.

use syn::ext::IdentExt;
use syn::{GenericParam, ReturnType, Safety, Signature};

use super::types;
use crate::errors::Errors;

pub(crate) fn check(signature: &Signature, errors: &mut Errors) {
    words(signature, errors);
    generics(signature, errors);
    let name = signature.ident.unraw().to_string();
    if types::is_primitive(&name) {
        errors.push(
            &signature.ident,
            format!("`{name}` would hide Rust's own type: rename the function, and keep the route with path = \"/…\""),
        );
    }
    if let ReturnType::Type(_, ty) = &signature.output
        && types::is_unnamed(ty)
    {
        errors.push(ty, "a handler's answer needs a type that is written out: replace `impl …` by it");
    }
}

fn words(signature: &Signature, errors: &mut Errors) {
    if let Some(word) = &signature.constness {
        errors.push(word, "a handler cannot be `const`: remove the word");
    }
    if let Safety::Unsafe(word) = &signature.safety {
        errors.push(word, "a handler cannot be `unsafe`: callers come from outside and promise nothing");
    }
    if let Some(abi) = &signature.abi {
        errors.push(abi, "a handler cannot be `extern`: remove the word");
    }
}

fn generics(signature: &Signature, errors: &mut Errors) {
    for param in &signature.generics.params {
        let (what, name) = match param {
            GenericParam::Type(param) => ("type", &param.ident),
            GenericParam::Const(param) => ("const", &param.ident),
            GenericParam::Lifetime(_) => continue,
        };
        errors.push(
            name,
            format!(
                "a handler has no {what} parameters, for a caller could not choose `{name}`: write it out"
            ),
        );
    }
}
