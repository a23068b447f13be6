//! Relays: left-over rows, many at once, an engine that is away, transactions begun by hand.

use std::sync::Arc;

use butterfly_model::sql::DbExt;
use butterfly_model::sql::sea_orm::TransactionTrait;
use butterfly_queue::conformance::memory::Memory;
use butterfly_queue::outbox::Home;
use butterfly_queue::{Settings, TxEnqueueExt};

use crate::handlers::hello;
use crate::support::{Process, within};

#[tokio::test]
async fn a_transaction_begun_by_hand_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::at(folder.path()).await;
    let relay = process.outbox.relay(&process.queue);
    let ctx = &process.ctx();
    let tx = process.db().begin().await.unwrap();
    let receipt = tx.enqueue(ctx, hello::job("hi")).await.unwrap();
    tx.commit().await.unwrap();
    process.arrival(&receipt.id).await;
    relay.stop().await;
}

#[tokio::test]
async fn what_was_left_over_is_relayed_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let id = {
        let process = Process::at(folder.path()).await;
        let ctx = &process.ctx();
        ctx.transaction(|tx| async move { tx.enqueue(ctx, hello::job("hi")).await }).await.unwrap().id
    };
    let process = Process::at(folder.path()).await;
    let relay = process.outbox.relay(&process.queue);
    process.arrival(&id).await;
    relay.stop().await;
    assert_eq!(process.waiting().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn relays_at_once_hand_over_each_row_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut processes = Vec::new();
    for _ in 0..3 {
        processes.push(Process::at(folder.path()).await);
    }
    let relays: Vec<_> = processes.iter().map(|process| process.outbox.relay(&process.queue)).collect();
    let send = async |process: &Process| {
        for n in 0..50 {
            let ctx = &process.ctx();
            let text = &format!("{n}");
            ctx.transaction(|tx| async move { tx.enqueue(ctx, hello::job(text.as_str())).await })
                .await
                .unwrap();
        }
    };
    within(async { tokio::join!(send(&processes[0]), send(&processes[1]), send(&processes[2])) }).await;
    within(async {
        while processes[0].waiting().await > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(processes[0].queued(hello::PATH).await.len(), 150);
    for relay in relays {
        relay.stop().await;
    }
}

#[tokio::test]
async fn a_program_that_never_sends_so_gets_no_file_and_no_table() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::at(folder.path()).await;
    let relay = process.outbox.relay(&process.queue);
    assert_eq!(process.outbox.hand_over(&process.queue).await.unwrap(), 0);
    relay.stop().await;
    for file in ["app.db", "app.db.outbox", "queue.db.id"] {
        assert!(!folder.path().join(file).exists(), "{file}");
    }
    assert!(!process.outbox.is_used());
}

#[tokio::test]
async fn a_database_in_memory_has_an_outbox_too() {
    let memory = Memory::default();
    let process =
        Process::of(Arc::new(memory.open()), "sqlite://", Home::shared("memory"), Settings::default()).await;
    let relay = process.outbox.relay(&process.queue);
    let ctx = &process.ctx();
    let sent = ctx.transaction(|tx| async move { tx.enqueue(ctx, hello::job("hi")).await }).await.unwrap();
    process.arrival(&sent.id).await;
    relay.stop().await;
}
