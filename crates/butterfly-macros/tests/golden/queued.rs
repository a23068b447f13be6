#[handler(trace = false, retries = 3, backoff = "1s", rate = "30/s", concurrency = 4, limit_by = "account_id", key_rate = "5/10s", key_concurrency = 1, batch("items", max = 100, wait = "50ms"))]
async fn bill(account_id: u64, items: Vec<String>) -> Result<()> {
    Ok(())
}
