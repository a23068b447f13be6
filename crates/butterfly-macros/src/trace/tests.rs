//! Which probes are written, seen from outside. That they are harmless is shown where they are compiled: in the tests of
//! `butterfly-core`.

use quote::{ToTokens, quote};
use syn::ItemFn;

use super::instrument;

fn instrumented(code: proc_macro2::TokenStream) -> String {
    let mut func: ItemFn = syn::parse2(code).unwrap();
    instrument(&mut func);
    func.into_token_stream().to_string()
}

/// The names that a kind of probe shows, in the order written.
fn names(probe: &str, code: proc_macro2::TokenStream) -> Vec<String> {
    let (code, call) = (instrumented(code), format!("trace :: {probe} (& __butterfly_frame , \""));
    code.split(&call).skip(1).filter_map(|call| call.split('"').next()).map(str::to_owned).collect()
}

#[test]
fn parameters_are_shown_but_not_those_behind_dyn_or_under_cfg() {
    let code = quote! {
        fn f(a: u32, _b: u32, (c, d): (u32, u32), e: &dyn Fn(), #[cfg(unix)] f: u32, mut g: u32, r#type: u32) {}
    };
    assert_eq!(names("given", code), ["a", "g", "type"]);
}

#[test]
fn a_variable_is_read_only_if_the_user_reads_it() {
    let code = quote! {
        fn f() -> u32 {
            let (never, once, in_text, hidden, replaced) = values();
            let hidden = 1;
            let _ignored = 2;
            println!("{in_text:?}");
            if flag() { replaced = 1; } else { return 0; }
            once + hidden + replaced
        }
    };
    assert_eq!(names("see", code), ["once", "in_text", "hidden", "replaced"]);
}

#[test]
fn closures_items_and_macros_are_left_alone() {
    let code = quote! {
        fn f() -> u32 {
            fn inner() -> u32 { let a = 1; a }
            let b = || { let c = 1; c };
            let d = async { let e = 1; e };
            spawn!({ let g = 1; g });
            let h = [0; { let i = 1; i }];
            b() + run(d) + h[0]
        }
    };
    assert_eq!(names("see", code), ["h"]);
}

#[test]
fn in_async_functions_variables_are_moved_unless_no_await_follows() {
    let code = quote! {
        async fn f() -> u32 {
            let a = 1;
            let mut b = 2;
            b += a;
            pause().await;
            let c = 3;
            a + b + c
        }
    };
    assert_eq!(names("pass", code.clone()), ["a", "b", "b"]);
    assert_eq!(names("see", code), ["c"]);
}

#[test]
fn assignments_and_mutating_methods_are_shown() {
    let code = quote! {
        fn f(mut row: Row, list: &mut Vec<u32>) {
            let mut own: Vec<u32> = make();
            let mut other = make();
            own.push(1);
            other.push(1);
            other.sort();
            row.id += 1;
            list[0] = 1;
            *list = own.clone();
            send(row, own, other);
        }
    };
    assert_eq!(names("see", code), ["own", "other", "own", "other", "row.id"]);
}

#[test]
fn functions_that_must_not_change_are_left_alone() {
    for code in [
        quote!(
            const fn f(a: u32) -> u32 {
                let b = a;
                b
            }
        ),
        quote!(
            #[expect(unused_variables)]
            fn f(a: u32) -> u32 {
                let b = a;
                b
            }
        ),
        quote!(
            fn f(a: u32) -> u32 {
                #[expect(unused_mut)]
                let mut b = a;
                b
            }
        ),
    ] {
        assert_eq!(instrumented(code.clone()), code.to_string());
    }
}

#[test]
fn every_statement_written_is_for_debug_builds() {
    let code = instrumented(quote! {
        async fn f(a: u32) -> Result<u32> {
            let mut b = a;
            if b > 1 { return Ok(b); }
            b = 2;
            g().await;
            Ok(b)
        }
    });
    let statements = code.matches(":: butterfly").count();
    let used_by_another = code.matches("trace :: never").count() + code.matches("trace :: returned").count();
    assert_eq!(code.matches("# [cfg (debug_assertions)]").count(), statements - used_by_another + 2);
}
