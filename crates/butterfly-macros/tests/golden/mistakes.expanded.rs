fn wrong(name: &str) {}
::core::compile_error! {
    "`name` is borrowed, but a handler owns its arguments: write `name: String`"
}
::core::compile_error! {
    "a path begins with `/`: \"/users\""
}
