fn user(id: u64, rest: String, verbose: bool) -> Result<User, Trouble> {
    User::find(id)
}
/// What the doors know of the handler `user`.
#[allow(non_camel_case_types, dead_code, unreachable_pub, missing_debug_implementations)]
struct user {}
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
    impl user {
        /// The route.
        const PATH: &'static str = "/users/{id}/{*rest}";
        /// The description that every door reads.
        const HANDLER: __bf::Handler = __bf::Handler {
            path: Self::PATH,
            doc: "",
            kind: __bf::Kind::Api,
            params: &[
                __bf::Param {
                    name: "id",
                    doc: "",
                    ty: "u64",
                    place: __bf::Place::Path,
                    required: true,
                    secret: false,
                    default: __None,
                    checks: &[],
                    schema: __bf::schema::<u64>,
                },
                __bf::Param {
                    name: "rest",
                    doc: "",
                    ty: "String",
                    place: __bf::Place::Path,
                    required: true,
                    secret: false,
                    default: __None,
                    checks: &[],
                    schema: __bf::schema::<String>,
                },
                __bf::Param {
                    name: "verbose",
                    doc: "",
                    ty: "bool",
                    place: __bf::Place::Named,
                    required: true,
                    secret: false,
                    default: __None,
                    checks: &[],
                    schema: __bf::schema::<bool>,
                },
            ],
            options: __bf::Options {
                methods: &["GET", "POST"],
                timeout: __Some(::core::time::Duration::from_millis(5000u64)),
                cache: __Some(::core::time::Duration::from_millis(30000u64)),
                ops: true,
                queue: __bf::QueueOptions::NONE,
            },
            source: __bf::Source {
                file: ::core::file!(),
                root: ::core::env!("CARGO_MANIFEST_DIR"),
                module: ::core::module_path!(),
                line: 2u32,
            },
            reply: |generator| {
                (&&__bf::Ret::<Result<User, Trouble>>::new()).schema(generator)
            },
            run: |ctx, input| {
                let mut binder = __bf::Binder::new(ctx, Self::HANDLER.params, &input)?;
                let arg_id = binder.required::<u64>(0);
                let arg_rest = binder.required::<String>(1);
                let arg_verbose = binder.required::<bool>(2);
                match (arg_id, arg_rest, arg_verbose) {
                    (
                        __Some(arg_id),
                        __Some(arg_rest),
                        __Some(arg_verbose),
                    ) if !binder.failed() => {
                        __Ok(
                            ::std::boxed::Box::pin(async move {
                                (&&__bf::Ret::<Result<User, Trouble>>::new())
                                    .convert(user(arg_id, arg_rest, arg_verbose))
                            }),
                        )
                    }
                    _ => __Err(binder.into_error()),
                }
            },
        };
        /// A call of `user` to be made later, or by another process.
        fn job(
            id: u64,
            rest: impl ::core::convert::Into<::std::string::String>,
            verbose: bool,
        ) -> __bf::Job<User> {
            __bf::Job::new(Self::PATH)
                .arg("id", &id)
                .arg("rest", &::core::convert::Into::<::std::string::String>::into(rest))
                .arg("verbose", &verbose)
        }
    }
    __bf::inventory::submit!(__bf::Registered(& user::HANDLER));
};
