//! What a sender sees.

use std::time::Duration;

use butterfly_core::{Error, Job};
use butterfly_model::sql::DbExt;
use butterfly_model::sql::sea_orm::{ConnectionTrait, TransactionTrait};
use butterfly_queue::{EnqueueExt, MsgId, State, TxEnqueueExt, Worker};

use crate::handlers::{hello, other};
use crate::support::{Process, within};

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_brings_the_message_and_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::at(folder.path()).await;
    process.run("CREATE TABLE paid (n INTEGER)").await;
    let worker = Worker::start(process.queue.clone(), process.app.clone(), None).unwrap();
    let relay = process.outbox.relay(&process.queue);
    let ctx = &process.ctx();
    let receipt = ctx
        .transaction(|tx| async move {
            tx.execute_unprepared("INSERT INTO paid VALUES (1)").await?;
            tx.enqueue(ctx, hello::job("hi")).priority(7).description("a text").await
        })
        .await
        .unwrap();
    assert!(receipt.new);
    process.arrival(&receipt.id).await;
    let message = within(process.queue.ended(hello::PATH, &receipt.id)).await.unwrap();
    assert_eq!(message.result.as_deref(), Some(r#"{"stat":"OK","data":"hi for ann"}"#));
    assert_eq!((message.spec.priority, message.spec.description.as_deref()), (7, Some("a text")));
    assert_eq!(message.spec.reqid, ctx.reqid());
    relay.stop().await;
    worker.stop(Duration::from_secs(5)).await;
    assert_eq!(process.waiting().await, 0, "what is handed over is gone from the table");
}

#[tokio::test]
async fn what_is_taken_back_never_comes() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::at(folder.path()).await;
    let ctx = &process.ctx();
    // An error of the function, after the message was written.
    let failed = ctx
        .transaction(|tx| async move {
            tx.enqueue(ctx, hello::job("ghost")).await?;
            Err::<(), _>(Error::business("ERR_NO_TEA"))
        })
        .await;
    assert_eq!(failed.unwrap_err().stat().as_str(), "ERR_NO_TEA");
    // A transaction that is given up.
    let tx = process.db().begin().await.unwrap();
    tx.enqueue(ctx, hello::job("ghost")).await.unwrap();
    tx.rollback().await.unwrap();
    let tx = process.db().begin().await.unwrap();
    tx.enqueue(ctx, hello::job("ghost")).await.unwrap();
    drop(tx);
    // One that commits, so that the table is there to be looked at.
    ctx.transaction(|tx| async move { tx.enqueue(ctx, hello::job("real")).await }).await.unwrap();
    assert_eq!(process.outbox.hand_over(&process.queue).await.unwrap(), 1);
    let there = process.queued(hello::PATH).await;
    assert_eq!(there.len(), 1);
    assert!(there[0].spec.args.contains("real"));
}

#[tokio::test]
async fn nothing_is_written_that_the_handler_would_refuse() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::at(folder.path()).await;
    let ctx = &process.ctx();
    for job in [Job::<()>::new(hello::PATH).arg("txt", "hi"), Job::new("/no/such")] {
        let job = &job;
        let sent = ctx.transaction(|tx| async move { ctx.enqueue(clone(job)).within(&tx).await }).await;
        assert_eq!(sent.unwrap_err().stat().as_str(), "ERR_BAD_PARAMS");
    }
    let sent = ctx.transaction(|tx| async move { tx.enqueue(ctx, hello::job("hi")).id("a b").await }).await;
    assert_eq!(sent.unwrap_err().stat().as_str(), "ERR_BAD_PARAMS");
    assert!(
        !folder.path().join("app.db").exists()
            || process.outbox.hand_over(&process.queue).await.unwrap() == 0
    );
}

fn clone(job: &Job<()>) -> Job<()> {
    let args: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&job.args().unwrap()).unwrap();
    args.iter().fold(Job::new(job.path()), |job, (name, value)| job.arg(name, value))
}

#[tokio::test]
async fn nobody_waits_inside_for_what_comes_after() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::at(folder.path()).await;
    let ctx = &process.ctx();
    let waited = ctx.transaction(|tx| async move { tx.enqueue(ctx, hello::job("hi")).wait().await }).await;
    assert!(waited.unwrap_err().chain().contains("wait for it there"));
}

#[tokio::test]
async fn what_a_sender_says_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::at(folder.path()).await;
    let ctx = &process.ctx();
    let receipts = ctx
        .transaction(|tx| async move {
            let hour = Duration::from_secs(3600);
            let first = tx.enqueue(ctx, other::job(1)).id("order-1").delay(hour).retries(3).await?;
            let again = tx.enqueue(ctx, other::job(1)).id("order-1").delay(hour).await?;
            tx.enqueue(ctx, other::job(2)).unique("k").await?;
            tx.enqueue(ctx, other::job(3)).unique("k").await?;
            Ok([first, again])
        })
        .await
        .unwrap();
    assert!(receipts.iter().all(|receipt| receipt.id == MsgId::Given("order-1".into())));
    assert_eq!(process.outbox.hand_over(&process.queue).await.unwrap(), 4);
    let scheduled = process.queue.list(other::PATH, State::Scheduled, 0, 10).await.unwrap();
    assert_eq!(scheduled.len(), 1, "one id is one message");
    assert_eq!(scheduled[0].spec.retries, 3);
    assert!(scheduled[0].run_at.unwrap() > butterfly_queue::now_ms() + 3_500_000);
    let queued = process.queued(other::PATH).await;
    assert_eq!(queued.len(), 1, "one key is one message");
    assert!(queued[0].spec.args.contains('2'), "the first one's: {}", queued[0].spec.args);
}

#[tokio::test]
async fn without_an_outbox_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::at(folder.path()).await;
    let bare = butterfly_queue::Queue::new(
        process.queue.engine().clone(),
        &process.app.registry,
        butterfly_queue::Settings::default(),
    );
    let tx = process.db().begin().await.unwrap();
    let sent = bare.enqueue(&hello::job("hi")).within(&tx).await;
    assert!(sent.unwrap_err().chain().contains("no outbox"));
}
