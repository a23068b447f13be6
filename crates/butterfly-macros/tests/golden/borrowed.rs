#[handler(trace = false)]
fn config<'a>(ctx: &'a Ctx) -> Result<&'a Config> {
    ctx.state()
}
