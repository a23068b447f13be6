//! Rows that cannot be handed over as they are.

use std::time::Duration;

use butterfly_model::sql::DbExt;
use butterfly_queue::{Settings, State, TxEnqueueExt};

use crate::handlers::{hello, other};
use crate::support::Process;

#[tokio::test]
async fn poison_is_set_aside_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::at(folder.path()).await;
    let ctx = &process.ctx();
    ctx.transaction(|tx| async move {
        for n in 1..=5 {
            tx.enqueue(ctx, other::job(n)).await?;
        }
        Ok(())
    })
    .await
    .unwrap();
    process.run("UPDATE butterfly_outbox SET topic = '/gone/now' WHERE id = 1").await;
    process
        .run(r#"UPDATE butterfly_outbox SET message = replace(message, '"n":2', '"x":2') WHERE id = 2"#)
        .await;
    process.run("UPDATE butterfly_outbox SET message = substr(message, 2) WHERE id = 3").await;
    process.run("UPDATE butterfly_outbox SET msg_id = 'a b' WHERE id = 4").await;
    assert_eq!(process.outbox.hand_over(&process.queue).await.unwrap(), 1);
    assert_eq!(process.queued(other::PATH).await.len(), 1);
    for (id, why) in [(1, "/gone/now"), (2, "x"), (3, "column message"), (4, "column msg_id")] {
        let sql = format!(
            "SELECT COUNT(*) AS n FROM butterfly_outbox WHERE id = {id} AND instr(refused, '{why}') > 0"
        );
        assert_eq!(process.count(&sql).await, 1, "row {id} says {why}");
    }
    // Put right, and tried again.
    process.run("UPDATE butterfly_outbox SET refused = NULL, topic = '/outbox/other' WHERE id = 1").await;
    process.run(&format!("UPDATE butterfly_outbox SET topic = '{}' WHERE id = 1", other::PATH)).await;
    assert_eq!(process.outbox.hand_over(&process.queue).await.unwrap(), 1);
    assert_eq!(process.queued(other::PATH).await.len(), 2);
}

#[tokio::test]
async fn a_full_topic_does_not_hold_up_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { max_depth: 2, ..Settings::default() };
    let process = Process::with(folder.path(), settings).await;
    let ctx = &process.ctx();
    ctx.transaction(|tx| async move {
        // More than one step takes.
        for n in 0..600 {
            tx.enqueue(ctx, other::job(n)).await?;
        }
        tx.enqueue(ctx, hello::job("hi")).await
    })
    .await
    .unwrap();
    assert_eq!(process.outbox.hand_over(&process.queue).await.unwrap(), 3);
    assert_eq!(process.queued(hello::PATH).await.len(), 1);
    assert_eq!(process.waiting().await, 598);
    assert_eq!(
        process.count("SELECT COUNT(*) AS n FROM butterfly_outbox WHERE refused IS NOT NULL").await,
        0
    );
    // Room is made, and a relay that runs notices.
    process.queue.empty(other::PATH, State::Queued).await.unwrap();
    let relay = process.outbox.relay(&process.queue);
    crate::support::within(async {
        while process.queued(other::PATH).await.len() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    relay.stop().await;
}

#[tokio::test]
async fn the_rows_of_another_program_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let shop =
        Process::with(folder.path(), Settings { nickname: "shop".into(), ..Settings::default() }).await;
    let bank =
        Process::with(folder.path(), Settings { nickname: "bank".into(), ..Settings::default() }).await;
    let ctx = &shop.ctx();
    ctx.transaction(|tx| async move { tx.enqueue(ctx, hello::job("hi")).await }).await.unwrap();
    assert_eq!(bank.outbox.hand_over(&bank.queue).await.unwrap(), 0);
    assert_eq!(shop.outbox.hand_over(&shop.queue).await.unwrap(), 1);
}
