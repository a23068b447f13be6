#[handler(trace = false, path = "users")]
fn wrong(#[default(1)] name: &str) {}
