pub(crate) fn old() -> Redirect {
    Redirect::to("/new")
}
/// What the doors know of the handler `old`.
#[allow(non_camel_case_types, dead_code, unreachable_pub, missing_debug_implementations)]
pub(crate) struct old {}
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
    impl old {
        /// The route.
        pub(crate) const PATH: &'static str = {
            const MODULE: &str = ::core::concat!(::core::module_path!(), "::old");
            const ROUTE: [u8; __bf::route_len(MODULE)] = __bf::route_bytes(MODULE);
            __bf::route_str(&ROUTE)
        };
        /// The description that every door reads.
        pub(crate) const HANDLER: __bf::Handler = __bf::Handler {
            path: Self::PATH,
            doc: "",
            kind: __bf::Kind::Http,
            params: &[],
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
            reply: |generator| (&&__bf::Ret::<Redirect>::new()).schema(generator),
            run: |ctx, input| {
                let mut binder = __bf::Binder::new(ctx, Self::HANDLER.params, &input)?;
                if binder.failed() {
                    return __Err(binder.into_error());
                }
                __Ok(
                    ::std::boxed::Box::pin(async move {
                        (&&__bf::Ret::<Redirect>::new()).convert(old())
                    }),
                )
            },
        };
        /// A call of `old` to be made later, or by another process.
        pub(crate) fn job() -> __bf::Job<Redirect> {
            __bf::Job::new(Self::PATH)
        }
    }
    __bf::inventory::submit!(__bf::Registered(& old::HANDLER));
};
