#[handler(trace = false, path = "/users/{id}/{*rest}", methods(GET, POST), timeout = "5s", cache = "30s", ops)]
fn user(id: u64, rest: String, verbose: bool) -> Result<User, Trouble> {
    User::find(id)
}
