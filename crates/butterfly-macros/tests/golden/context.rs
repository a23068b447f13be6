/// Say hello.
///
/// As often as you like.
#[handler(trace = false)]
pub async fn hello(
    ctx: &Ctx,
    /// text to echo
    #[check(len(1..=20), regex("^[a-z]+$"))]
    str_info: String,
    #[default(1)]
    #[check(range(1..=100))]
    times: u32,
    #[check(even)] number: Option<u32>,
    #[secret] pin: Option<String>,
) -> Result<Hello> {
    Ok(Hello::new(str_info, times))
}
