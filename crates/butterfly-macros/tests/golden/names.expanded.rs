#[cfg(unix)]
#[deprecated]
#[expect(clippy::needless_pass_by_value, reason = "shown")]
pub(super) fn r#type(r#match: String) {}
/// What the doors know of the handler `type`.
#[allow(non_camel_case_types, dead_code, unreachable_pub, missing_debug_implementations)]
pub(super) struct r#type {}
#[allow(
    dead_code,
    deprecated,
    non_snake_case,
    private_interfaces,
    unreachable_pub,
    unused_imports
)]
#[allow(clippy::all, clippy::pedantic, clippy::nursery)]
#[allow(clippy::needless_pass_by_value, reason = "shown")]
const _: () = {
    use ::butterfly::__private as __bf;
    use ::butterfly::__private::{
        ShownAsJson as _, ShownNot as _, ViaResult as _, ViaValue as _,
    };
    use ::core::option::Option::{None as __None, Some as __Some};
    use ::core::result::Result::{Err as __Err, Ok as __Ok};
    impl r#type {
        /// The route.
        pub(super) const PATH: &'static str = {
            const MODULE: &str = ::core::concat!(::core::module_path!(), "::type");
            const ROUTE: [u8; __bf::route_len(MODULE)] = __bf::route_bytes(MODULE);
            __bf::route_str(&ROUTE)
        };
        /// The description that every door reads.
        pub(super) const HANDLER: __bf::Handler = __bf::Handler {
            path: Self::PATH,
            doc: "",
            kind: __bf::Kind::Api,
            params: &[
                __bf::Param {
                    name: "match",
                    doc: "",
                    ty: "String",
                    place: __bf::Place::Named,
                    required: false,
                    secret: false,
                    default: __Some(|| (&&__bf::Shown(&Self::default_match())).json()),
                    checks: &[],
                    schema: __bf::schema::<String>,
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
                line: 5u32,
            },
            reply: |generator| (&&__bf::Ret::<()>::new()).schema(generator),
            run: |ctx, input| {
                let mut binder = __bf::Binder::new(ctx, Self::HANDLER.params, &input)?;
                let arg_match = binder.or_else::<String>(0, Self::default_match);
                match (arg_match,) {
                    (__Some(arg_match),) if !binder.failed() => {
                        __Ok(
                            ::std::boxed::Box::pin(async move {
                                (&&__bf::Ret::<()>::new()).convert(r#type(arg_match))
                            }),
                        )
                    }
                    _ => __Err(binder.into_error()),
                }
            },
        };
        fn default_match() -> String {
            ::std::string::String::from("a")
        }
        /// A call of `type` to be made later, or by another process.
        pub(super) fn job(
            r#match: impl ::core::convert::Into<::std::string::String>,
        ) -> __bf::Job<()> {
            __bf::Job::new(Self::PATH)
                .arg(
                    "match",
                    &::core::convert::Into::<::std::string::String>::into(r#match),
                )
        }
    }
    __bf::inventory::submit!(__bf::Registered(& r#type::HANDLER));
};
