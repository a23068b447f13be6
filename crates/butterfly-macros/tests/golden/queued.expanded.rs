async fn bill(account_id: u64, items: Vec<String>) -> Result<()> {
    Ok(())
}
/// What the doors know of the handler `bill`.
#[allow(non_camel_case_types, dead_code, unreachable_pub, missing_debug_implementations)]
struct bill {}
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
    impl bill {
        /// The route.
        const PATH: &'static str = {
            const MODULE: &str = ::core::concat!(::core::module_path!(), "::bill");
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
                    name: "account_id",
                    doc: "",
                    ty: "u64",
                    place: __bf::Place::Named,
                    required: true,
                    secret: false,
                    default: __None,
                    checks: &[],
                    schema: __bf::schema::<u64>,
                },
                __bf::Param {
                    name: "items",
                    doc: "",
                    ty: "Vec<String>",
                    place: __bf::Place::Named,
                    required: true,
                    secret: false,
                    default: __None,
                    checks: &[],
                    schema: __bf::schema::<Vec<String>>,
                },
            ],
            options: __bf::Options {
                methods: &[],
                timeout: __None,
                cache: __None,
                ops: false,
                queue: __bf::QueueOptions {
                    retries: __Some(3u32),
                    backoff: __Some(::core::time::Duration::from_millis(1000u64)),
                    rate: __Some((30u32, 1000u64)),
                    concurrency: __Some(4u32),
                    limit_by: __Some("account_id"),
                    key_rate: __Some((5u32, 10000u64)),
                    key_concurrency: __Some(1u32),
                    batch: __Some(__bf::Batch {
                        param: "items",
                        max: 100u32,
                        wait: ::core::time::Duration::from_millis(50u64),
                    }),
                    ..__bf::QueueOptions::NONE
                },
            },
            source: __bf::Source {
                file: ::core::file!(),
                root: ::core::env!("CARGO_MANIFEST_DIR"),
                module: ::core::module_path!(),
                line: 2u32,
            },
            reply: |generator| (&&__bf::Ret::<Result<()>>::new()).schema(generator),
            run: |ctx, input| {
                let mut binder = __bf::Binder::new(ctx, Self::HANDLER.params, &input)?;
                let arg_account_id = binder.required::<u64>(0);
                let arg_items = binder.required::<Vec<String>>(1);
                match (arg_account_id, arg_items) {
                    (__Some(arg_account_id), __Some(arg_items)) if !binder.failed() => {
                        __Ok(
                            ::std::boxed::Box::pin(async move {
                                (&&__bf::Ret::<Result<()>>::new())
                                    .convert(bill(arg_account_id, arg_items).await)
                            }),
                        )
                    }
                    _ => __Err(binder.into_error()),
                }
            },
        };
        /// A call of `bill` to be made later, or by another process.
        fn job(account_id: u64, items: Vec<String>) -> __bf::Job<()>
        where
            for<'unused> Vec<String>: __bf::Serialize,
        {
            __bf::Job::new(Self::PATH)
                .arg("account_id", &account_id)
                .arg("items", &items)
        }
    }
    __bf::inventory::submit!(__bf::Registered(& bill::HANDLER));
};
