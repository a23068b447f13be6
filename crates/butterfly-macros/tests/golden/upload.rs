#[handler(trace = false, upload)]
async fn store(ctx: &Ctx, name: String, body: Body) -> Result<u64> {
    save(&name, body).await
}
