//! How fast a worker drains trivial messages: `cargo run --release --example worker_speed -- redis://127.0.0.1:6379 200000`.

extern crate butterfly_core as butterfly;

use std::sync::Arc;
use std::time::{Duration, Instant};

use butterfly_core::{App, Registry};
use butterfly_macros::handler;
use butterfly_queue::redis::{RedisEngine, RedisOptions};
use butterfly_queue::{Queue, Settings, Worker};

#[handler]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

#[tokio::main]
async fn main() -> butterfly_core::Result<()> {
    let mut words = std::env::args().skip(1);
    let url = words.next().unwrap_or_else(|| "redis://127.0.0.1:6379".into());
    let count: i64 = words.next().map_or(Ok(200_000), |word| word.parse::<i64>())?;
    let options: RedisOptions = url.parse()?;
    let mut app = App::new(Registry::of([&add::HANDLER])?);
    let engine = Arc::new(RedisEngine::connect(options).await?);
    let queue = Queue::new(engine, &app.registry, Settings { max_depth: 10_000_000, ..Settings::default() });
    app.state.insert(queue.clone());
    let before = queue.counts(add::PATH).await?;
    let begun = Instant::now();
    let mut sent = 0;
    while sent < count {
        queue.enqueue_many((0..5000).map(|n| add::job(sent + n, 2))).await?;
        sent += 5000;
    }
    println!("enqueued {:.0}/s", sent as f64 / begun.elapsed().as_secs_f64());
    let begun = Instant::now();
    let worker = Worker::start(queue.clone(), Arc::new(app), None)?;
    loop {
        let counts = queue.counts(add::PATH).await?;
        if counts.finished >= before.finished + sent as u64 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    println!("drained {:.0}/s", sent as f64 / begun.elapsed().as_secs_f64());
    worker.stop(Duration::from_secs(5)).await;
    Ok(())
}
