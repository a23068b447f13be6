/// Adds two numbers.
#[handler(trace = false)]
fn add(a: i64, b: i64) -> i64 {
    a + b
}
