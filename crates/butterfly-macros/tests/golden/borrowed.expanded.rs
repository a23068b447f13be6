fn config<'a>(ctx: &'a Ctx) -> Result<&'a Config> {
    ctx.state()
}
/// What the doors know of the handler `config`.
#[allow(non_camel_case_types, dead_code, unreachable_pub, missing_debug_implementations)]
struct config {}
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
    impl config {
        /// The route.
        const PATH: &'static str = {
            const MODULE: &str = ::core::concat!(::core::module_path!(), "::config");
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
                    name: "ctx",
                    doc: "",
                    ty: "&'a Ctx",
                    place: __bf::Place::Context,
                    required: false,
                    secret: false,
                    default: __None,
                    checks: &[],
                    schema: __bf::schema::<()>,
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
            reply: |generator| {
                (&&__bf::Ret::<Result<&'static Config>>::new()).schema(generator)
            },
            run: |ctx, input| {
                let mut binder = __bf::Binder::new(ctx, Self::HANDLER.params, &input)?;
                if binder.failed() {
                    return __Err(binder.into_error());
                }
                __Ok(
                    ::std::boxed::Box::pin(async move {
                        (&&__bf::Ret::<Result<&'_ Config>>::new()).convert(config(ctx))
                    }),
                )
            },
        };
        /// A call of `config` to be made later, or by another process.
        fn job() -> __bf::Job<&'static Config> {
            __bf::Job::new(Self::PATH)
        }
    }
    __bf::inventory::submit!(__bf::Registered(& config::HANDLER));
};
