//! What holds on every database.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use butterfly_core::args::Input;
use butterfly_core::handler::{Call, Kind, Options, Source};
use butterfly_core::{App, Ctx, Door, Error, Handler, Reply, Result, Stat, call};
use butterfly_model::sql::prelude::*;
use butterfly_model::sql::{Databases, Failure, create_tables, transaction};

#[allow(unreachable_pub, reason = "what SeaORM makes of it is public")]
pub(crate) mod account {
    use butterfly_model::sql::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "account")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        #[sea_orm(unique)]
        pub owner: String,
        pub cents: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// A program's databases: one, by its address.
pub(crate) async fn databases(url: &str) -> Databases {
    let mut databases = Databases::new();
    databases.add("default", url.parse().unwrap(), Duration::from_millis(200)).await.unwrap();
    databases
}

pub(crate) async fn with_tables(url: &str) -> Databases {
    let databases = databases(url).await;
    let db = databases.get("default").unwrap();
    assert!(create_tables(&url.parse().unwrap(), db).await.unwrap());
    databases
}

pub(crate) async fn open_account(db: &DatabaseConnection, owner: &str, cents: i64) -> account::Model {
    account::ActiveModel { owner: Set(owner.to_owned()), cents: Set(cents), ..Default::default() }
        .insert(db)
        .await
        .unwrap()
}

/// Reads the balance, then writes it: others in between would be lost without a transaction.
async fn add_one(tx: &Tx, id: i64) -> Result<()> {
    let account =
        account::Entity::find_by_id(id).one(tx).await?.ok_or(DbErr::RecordNotFound("account".into()))?;
    let cents = account.cents + 1;
    let mut account = account.into_active_model();
    account.cents = Set(cents);
    account.update(tx).await?;
    Ok(())
}

pub(crate) async fn commits_and_takes_back(url: &str) {
    let databases = with_tables(url).await;
    let db = databases.get("default").unwrap();
    let one = open_account(db, "commits", 100).await;
    transaction(db, |tx| async move { add_one(&tx, one.id).await }).await.unwrap();
    let failed = transaction(db, |tx| async move {
        add_one(&tx, one.id).await?;
        Err::<(), _>(Error::business("ERR_NO"))
    })
    .await;
    assert_eq!(failed.unwrap_err().stat().as_str(), "ERR_NO");
    let now = account::Entity::find_by_id(one.id).one(db).await.unwrap().unwrap();
    assert_eq!(now.cents, 101);
}

/// Tables are there once, whoever comes first; and what is there stays.
pub(crate) async fn tables_are_made_once(url: &str) {
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let url = url.to_owned();
        running.spawn(async move { with_tables(&url).await });
    }
    let all = running.join_all().await;
    let db = all[0].get("default").unwrap();
    let one = open_account(db, "stays", 7).await;
    let again = with_tables(url).await;
    let found = account::Entity::find_by_id(one.id).one(again.get("default").unwrap()).await.unwrap();
    assert_eq!(found.map(|found| found.cents), Some(7));
}

/// Transactions that are in each other's way. PostgreSQL looks for deadlocks once a second: more would take long.
const TURNS: i64 = 6;

/// Two transactions that want the same rows in other orders: one is told so, and tried again.
pub(crate) async fn deadlocks_are_tried_again(url: &str) {
    let databases = with_tables(url).await;
    let db = databases.get("default").unwrap().clone();
    let (a, b) = (open_account(&db, "lock-a", 0).await.id, open_account(&db, "lock-b", 0).await.id);
    let tries = Arc::new(AtomicU32::new(0));
    let mut running = tokio::task::JoinSet::new();
    for turn in 0..TURNS {
        let (db, tries) = (db.clone(), tries.clone());
        let (first, second) = if turn % 2 == 0 { (a, b) } else { (b, a) };
        running.spawn(async move {
            let tries = &tries;
            transaction(&db, |tx| async move {
                tries.fetch_add(1, Ordering::Relaxed);
                let plus_one = |id| {
                    account::Entity::update_many()
                        .col_expr(account::Column::Cents, Expr::col(account::Column::Cents).add(1))
                        .filter(account::Column::Id.eq(id))
                };
                plus_one(first).exec(&tx).await?;
                tokio::task::yield_now().await;
                plus_one(second).exec(&tx).await?;
                Ok(())
            })
            .await
        });
    }
    for done in running.join_all().await {
        done.unwrap();
    }
    for id in [a, b] {
        let account = account::Entity::find_by_id(id).one(&db).await.unwrap().unwrap();
        assert_eq!(account.cents, TURNS, "each counted once, in {} tries", tries.load(Ordering::Relaxed));
    }
}

/// Statements add to the talk marks of the call that runs them.
pub(crate) async fn statements_are_in_the_talk(url: &str) {
    let mut app = App::default();
    app.state.insert(with_tables(url).await);
    let mut ctx = Ctx::within(Arc::new(app), Door::Cli);
    let handler = Box::leak(Box::new(Handler {
        path: "/account/count",
        doc: "",
        kind: Kind::Api,
        params: &[],
        options: Options::default(),
        source: Source { file: file!(), root: "", module: module_path!(), line: line!() },
        reply: |_| None,
        run: count,
    }));
    call(handler, &ctx, Input::default()).await.unwrap();
    let talk = &ctx.notes_mut().talk;
    assert!(matches!(talk.as_slice(), [("db", ms)] if *ms > 0.0), "{talk:?}");
}

fn count<'c>(ctx: &'c Ctx, _: Input<'_>) -> Result<Call<'c>> {
    Ok(Box::pin(async move {
        account::Entity::find().count(ctx.db()?).await?;
        ctx.transaction(|tx| async move { Ok(account::Entity::find().count(&tx).await?) }).await?;
        Ok(Reply::json(Stat::OK, b"{}".to_vec()))
    }))
}

pub(crate) async fn unique_is_not_a_conflict(url: &str) {
    let databases = with_tables(url).await;
    let db = databases.get("default").unwrap();
    open_account(db, "twin", 0).await;
    let twin = account::ActiveModel { owner: Set("twin".into()), cents: Set(0), ..Default::default() };
    let error = twin.insert(db).await.unwrap_err();
    assert_eq!(Failure::of(&error), Failure::Other, "{error}");
    assert!(matches!(error.sql_err(), Some(sea_orm::SqlErr::UniqueConstraintViolation(_))), "{error}");
}
