async fn whole(Json(list): Json<Vec<u32>>, factor: u32) -> Vec<u32> {
    list
}
/// What the doors know of the handler `whole`.
#[allow(non_camel_case_types, dead_code, unreachable_pub, missing_debug_implementations)]
struct whole {}
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
    impl whole {
        /// The route.
        const PATH: &'static str = {
            const MODULE: &str = ::core::concat!(::core::module_path!(), "::whole");
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
                    name: "list",
                    doc: "",
                    ty: "Json<Vec<u32>>",
                    place: __bf::Place::Body,
                    required: true,
                    secret: false,
                    default: __None,
                    checks: &[],
                    schema: __bf::schema::<Json<Vec<u32>>>,
                },
                __bf::Param {
                    name: "factor",
                    doc: "",
                    ty: "u32",
                    place: __bf::Place::Named,
                    required: true,
                    secret: false,
                    default: __None,
                    checks: &[],
                    schema: __bf::schema::<u32>,
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
            reply: |generator| (&&__bf::Ret::<Vec<u32>>::new()).schema(generator),
            run: |ctx, input| {
                let mut binder = __bf::Binder::new(ctx, Self::HANDLER.params, &input)?;
                let arg_list = binder.required::<Json<Vec<u32>>>(0);
                let arg_factor = binder.required::<u32>(1);
                match (arg_list, arg_factor) {
                    (__Some(arg_list), __Some(arg_factor)) if !binder.failed() => {
                        __Ok(
                            ::std::boxed::Box::pin(async move {
                                (&&__bf::Ret::<Vec<u32>>::new())
                                    .convert(whole(arg_list, arg_factor).await)
                            }),
                        )
                    }
                    _ => __Err(binder.into_error()),
                }
            },
        };
        /// A call of `whole` to be made later, or by another process.
        fn job(list: Json<Vec<u32>>, factor: u32) -> __bf::Job<Vec<u32>>
        where
            for<'unused> Json<Vec<u32>>: __bf::Serialize,
        {
            __bf::Job::new(Self::PATH).arg("list", &list).arg("factor", &factor)
        }
    }
    __bf::inventory::submit!(__bf::Registered(& whole::HANDLER));
};
