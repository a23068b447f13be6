async fn store(ctx: &Ctx, name: String, body: Body) -> Result<u64> {
    save(&name, body).await
}
/// What the doors know of the handler `store`.
#[allow(non_camel_case_types, dead_code, unreachable_pub, missing_debug_implementations)]
struct store {}
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
    impl store {
        /// The route.
        const PATH: &'static str = {
            const MODULE: &str = ::core::concat!(::core::module_path!(), "::store");
            const ROUTE: [u8; __bf::route_len(MODULE)] = __bf::route_bytes(MODULE);
            __bf::route_str(&ROUTE)
        };
        /// The description that every door reads.
        const HANDLER: __bf::Handler = __bf::Handler {
            path: Self::PATH,
            doc: "",
            kind: __bf::Kind::Upload,
            params: &[
                __bf::Param {
                    name: "ctx",
                    doc: "",
                    ty: "&Ctx",
                    place: __bf::Place::Context,
                    required: false,
                    secret: false,
                    default: __None,
                    checks: &[],
                    schema: __bf::schema::<()>,
                },
                __bf::Param {
                    name: "name",
                    doc: "",
                    ty: "String",
                    place: __bf::Place::Named,
                    required: true,
                    secret: false,
                    default: __None,
                    checks: &[],
                    schema: __bf::schema::<String>,
                },
                __bf::Param {
                    name: "body",
                    doc: "",
                    ty: "Body",
                    place: __bf::Place::Stream,
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
            reply: |generator| (&&__bf::Ret::<Result<u64>>::new()).schema(generator),
            run: |ctx, mut input| {
                let mut binder = __bf::Binder::new(ctx, Self::HANDLER.params, &input)?;
                let arg_name = binder.required::<String>(1);
                match (arg_name,) {
                    (__Some(arg_name),) if !binder.failed() => {
                        let arg_body = <Body as __bf::FromBody>::from_body(
                            ctx,
                            input.stream.take().unwrap_or_default(),
                        )?;
                        __Ok(
                            ::std::boxed::Box::pin(async move {
                                (&&__bf::Ret::<Result<u64>>::new())
                                    .convert(store(ctx, arg_name, arg_body).await)
                            }),
                        )
                    }
                    _ => __Err(binder.into_error()),
                }
            },
        };
        /// A call of `store` to be made later, or by another process.
        fn job(
            name: impl ::core::convert::Into<::std::string::String>,
        ) -> __bf::Job<u64> {
            __bf::Job::new(Self::PATH)
                .arg("name", &::core::convert::Into::<::std::string::String>::into(name))
        }
    }
    __bf::inventory::submit!(__bf::Registered(& store::HANDLER));
};
