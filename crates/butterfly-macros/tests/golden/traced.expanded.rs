fn add(a: i64, b: i64) -> i64 {
    #[cfg(debug_assertions)]
    let __butterfly_frame = ::butterfly::__private::trace::enter(
        "add",
        "",
        0u32,
        ::core::option_env!("CARGO_MANIFEST_DIR"),
    );
    #[cfg(debug_assertions)]
    ::butterfly::__private::trace::given(&__butterfly_frame, "a", &a, 0);
    #[cfg(debug_assertions)]
    ::butterfly::__private::trace::given(&__butterfly_frame, "b", &b, 0);
    #[cfg(debug_assertions)] ::butterfly::__private::trace::call(&__butterfly_frame);
    #[cfg(debug_assertions)]
    ::butterfly::__private::trace::line(&__butterfly_frame, 0u32);
    #[cfg(debug_assertions)]
    {
        let __butterfly_result: i64 = a + b;
        ::butterfly::__private::trace::returned(
            &__butterfly_frame,
            &__butterfly_result,
            0,
        );
        __butterfly_result
    }
    #[cfg(not(debug_assertions))] { a + b }
}
/// What the doors know of the handler `add`.
#[allow(non_camel_case_types, dead_code, unreachable_pub, missing_debug_implementations)]
struct add {}
#[allow(
    dead_code,
    deprecated,
    non_snake_case,
    private_interfaces,
    unreachable_pub,
    unused_imports
)]
#[allow(clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::butterfly::__private as __bf;
    use ::butterfly::__private::{
        ShownAsJson as _, ShownNot as _, ViaResult as _, ViaValue as _,
    };
    use ::core::option::Option::{None as __None, Some as __Some};
    use ::core::result::Result::{Err as __Err, Ok as __Ok};
    impl add {
        /// The route.
        const PATH: &'static str = {
            const MODULE: &str = ::core::concat!(::core::module_path!(), "::add");
            const ROUTE: [u8; __bf::route_len(MODULE)] = __bf::route_bytes(MODULE);
            __bf::route_str(&ROUTE)
        };
        /// The description that every door reads.
        const HANDLER: __bf::Handler = __bf::Handler {
            path: Self::PATH,
            doc: "",
            kind: __bf::Kind::Api,
            params: &[
                __bf::Param {
                    name: "a",
                    doc: "",
                    ty: "i64",
                    place: __bf::Place::Named,
                    required: true,
                    secret: false,
                    default: __None,
                    checks: &[],
                    schema: __bf::schema::<i64>,
                },
                __bf::Param {
                    name: "b",
                    doc: "",
                    ty: "i64",
                    place: __bf::Place::Named,
                    required: true,
                    secret: false,
                    default: __None,
                    checks: &[],
                    schema: __bf::schema::<i64>,
                },
            ],
            options: __bf::Options {
                methods: &[],
                timeout: __None,
                cache: __None,
                ops: false,
                queue: __bf::QueueOptions::NONE,
            },
            source: __bf::Source {
                file: ::core::file!(),
                root: ::core::env!("CARGO_MANIFEST_DIR"),
                module: ::core::module_path!(),
                line: 2u32,
            },
            reply: |generator| (&&__bf::Ret::<i64>::new()).schema(generator),
            run: |ctx, input| {
                let mut binder = __bf::Binder::new(ctx, Self::HANDLER.params, &input)?;
                let arg_a = binder.required::<i64>(0);
                let arg_b = binder.required::<i64>(1);
                match (arg_a, arg_b) {
                    (__Some(arg_a), __Some(arg_b)) if !binder.failed() => {
                        __Ok(
                            ::std::boxed::Box::pin(async move {
                                (&&__bf::Ret::<i64>::new()).convert(add(arg_a, arg_b))
                            }),
                        )
                    }
                    _ => __Err(binder.into_error()),
                }
            },
        };
        /// A call of `add` to be made later, or by another process.
        fn job(a: i64, b: i64) -> __bf::Job<i64> {
            __bf::Job::new(Self::PATH).arg("a", &a).arg("b", &b)
        }
    }
    __bf::inventory::submit!(__bf::Registered(& add::HANDLER));
};
