/// Say hello.
///
/// As often as you like.
pub async fn hello(
    ctx: &Ctx,
    str_info: String,
    times: u32,
    number: Option<u32>,
    pin: Option<String>,
) -> Result<Hello> {
    Ok(Hello::new(str_info, times))
}
/// What the doors know of the handler `hello`.
#[allow(non_camel_case_types, dead_code, unreachable_pub, missing_debug_implementations)]
pub struct hello {}
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
    impl hello {
        /// The route.
        pub const PATH: &'static str = {
            const MODULE: &str = ::core::concat!(::core::module_path!(), "::hello");
            const ROUTE: [u8; __bf::route_len(MODULE)] = __bf::route_bytes(MODULE);
            __bf::route_str(&ROUTE)
        };
        /// The description that every door reads.
        pub const HANDLER: __bf::Handler = __bf::Handler {
            path: Self::PATH,
            doc: "Say hello.\n\nAs often as you like.",
            kind: __bf::Kind::Api,
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
                    name: "str_info",
                    doc: "text to echo",
                    ty: "String",
                    place: __bf::Place::Named,
                    required: true,
                    secret: false,
                    default: __None,
                    checks: &[
                        __bf::Check::Len(__Some(1), __Some(20)),
                        __bf::Check::Regex("^[a-z]+$"),
                    ],
                    schema: __bf::schema::<String>,
                },
                __bf::Param {
                    name: "times",
                    doc: "",
                    ty: "u32",
                    place: __bf::Place::Named,
                    required: false,
                    secret: false,
                    default: __Some(|| (&&__bf::Shown(&Self::default_times())).json()),
                    checks: &[__bf::Check::Range(__Some(1f64), __Some(100f64), false)],
                    schema: __bf::schema::<u32>,
                },
                __bf::Param {
                    name: "number",
                    doc: "",
                    ty: "Option<u32>",
                    place: __bf::Place::Named,
                    required: false,
                    secret: false,
                    default: __None,
                    checks: &[__bf::Check::Custom("even")],
                    schema: __bf::schema::<Option<u32>>,
                },
                __bf::Param {
                    name: "pin",
                    doc: "",
                    ty: "Option<String>",
                    place: __bf::Place::Named,
                    required: false,
                    secret: true,
                    default: __None,
                    checks: &[],
                    schema: __bf::schema::<Option<String>>,
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
            reply: |generator| (&&__bf::Ret::<Result<Hello>>::new()).schema(generator),
            run: |ctx, input| {
                let mut binder = __bf::Binder::new(ctx, Self::HANDLER.params, &input)?;
                let arg_str_info = binder.required::<String>(1);
                let arg_str_info = binder
                    .check(
                        1,
                        arg_str_info,
                        |value| __bf::check::len(value, 1..=20, "1..=20"),
                    );
                let arg_str_info = binder
                    .check(
                        1,
                        arg_str_info,
                        |value| {
                            static PATTERN: __bf::Pattern = __bf::Pattern::new();
                            __bf::check::regex(value, "^[a-z]+$", &PATTERN)
                        },
                    );
                let arg_times = binder.or_else::<u32>(2, Self::default_times);
                let arg_times = binder
                    .check(
                        2,
                        arg_times,
                        |value| __bf::check::range(value, 1..=100, "1..=100"),
                    );
                let arg_number = binder.or_else::<Option<u32>>(3, || __None);
                let arg_number = binder
                    .check(
                        3,
                        arg_number,
                        |value| value.as_ref().map_or(__Ok(()), |value| even(value)),
                    );
                let arg_pin = binder.or_else::<Option<String>>(4, || __None);
                match (arg_str_info, arg_times, arg_number, arg_pin) {
                    (
                        __Some(arg_str_info),
                        __Some(arg_times),
                        __Some(arg_number),
                        __Some(arg_pin),
                    ) if !binder.failed() => {
                        __Ok(
                            ::std::boxed::Box::pin(async move {
                                (&&__bf::Ret::<Result<Hello>>::new())
                                    .convert(
                                        hello(ctx, arg_str_info, arg_times, arg_number, arg_pin)
                                            .await,
                                    )
                            }),
                        )
                    }
                    _ => __Err(binder.into_error()),
                }
            },
        };
        fn default_times() -> u32 {
            1
        }
        /// A call of `hello` to be made later, or by another process.
        pub fn job(
            str_info: impl ::core::convert::Into<::std::string::String>,
            times: u32,
            number: Option<u32>,
            pin: Option<String>,
        ) -> __bf::Job<Hello>
        where
            for<'unused> Option<u32>: __bf::Serialize,
            for<'unused> Option<String>: __bf::Serialize,
        {
            __bf::Job::new(Self::PATH)
                .arg(
                    "str_info",
                    &::core::convert::Into::<::std::string::String>::into(str_info),
                )
                .arg("times", &times)
                .arg("number", &number)
                .arg("pin", &pin)
        }
    }
    __bf::inventory::submit!(__bf::Registered(& hello::HANDLER));
};
