//! Rows found or made by many at once.

use butterfly_model::sql::prelude::*;
use butterfly_model::sql::{get_or_create, transaction, update_or_create, upsert};

use crate::database::on_each;
use crate::item::{Column, Entity, named, ranked};

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_ask_at_once_one_makes_the_row() {
    on_each(async |db| {
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let db = db.clone();
                tokio::spawn(async move {
                    let find = Entity::find().filter(Column::Name.eq("one"));
                    get_or_create(&db, find, named("one")).await
                })
            })
            .collect();
        let (mut ids, mut made) = (Vec::new(), 0);
        for task in tasks {
            let (row, new) = task.await.unwrap().unwrap();
            ids.push(row.id);
            made += u32::from(new);
        }
        ids.dedup();
        assert_eq!((ids.len(), made), (1, 1));
        assert_eq!(Entity::find().count(db).await.unwrap(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_change_or_make_each_has_its_change_in() {
    on_each(async |db| {
        let tasks: Vec<_> = (0..16)
            .map(|rank| {
                let db = db.clone();
                tokio::spawn(async move {
                    let find = Entity::find().filter(Column::Name.eq("one"));
                    update_or_create(&db, find, ranked("one", Some(rank)), |row| row.rank = Set(Some(rank)))
                        .await
                })
            })
            .collect();
        let mut made = 0;
        for (rank, task) in (0..).zip(tasks) {
            let (row, new) = task.await.unwrap().unwrap();
            assert_eq!(row.name, "one");
            // Without RETURNING another one's change may be read back.
            assert!(row.rank == Some(rank) || db.get_database_backend() != sea_orm::DbBackend::Postgres);
            assert!(row.rank.is_some_and(|rank| (0..16).contains(&rank)));
            made += u32::from(new);
        }
        assert_eq!((made, Entity::find().count(db).await.unwrap()), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn a_row_in_the_way_leaves_the_transaction_around_it_whole() {
    on_each(async |db| {
        named("here").insert(db).await.unwrap();
        let stat = transaction(db, |tx| async move {
            named("before").insert(&tx).await?;
            // The query does not find what stands in the way.
            let find = Entity::find().filter(Column::Name.eq("nowhere"));
            let error = get_or_create(&tx, find, named("here")).await.unwrap_err();
            named("after").insert(&tx).await?;
            Ok(error)
        })
        .await
        .unwrap();
        assert_eq!(stat.to_string(), "ERR_EXISTS: another row has this name already");
        assert_eq!(Entity::find().count(db).await.unwrap(), 3);
    })
    .await;
}

/// A transaction that is tried again takes the same function: all shortcuts work on what it is given.
#[tokio::test]
async fn shortcuts_are_a_part_of_the_transaction_around_them() {
    on_each(async |db| {
        let write = async |tx: &Tx, rank: i32| {
            let find = || Entity::find().filter(Column::Name.eq("one"));
            let (row, _) = get_or_create(tx, find(), named("one")).await?;
            let (same, new) =
                update_or_create(tx, find(), named("one"), |row| row.rank = Set(Some(rank))).await?;
            assert_eq!((same.id, same.rank, new), (row.id, Some(rank), false));
            upsert(tx, [ranked("two", Some(rank))], &[Column::Name], &[Column::Rank]).await
        };
        let write = &write;
        let taken_back = transaction(db, |tx| async move {
            write(&tx, 1).await?;
            Err::<(), _>(butterfly_core::Error::business("ERR_NO"))
        });
        assert_eq!(taken_back.await.unwrap_err().stat().as_str(), "ERR_NO");
        assert_eq!(Entity::find().count(db).await.unwrap(), 0);
        transaction(db, |tx| async move { write(&tx, 2).await }).await.unwrap();
        let ranks: Vec<_> = Entity::find().all(db).await.unwrap().into_iter().map(|row| row.rank).collect();
        assert_eq!(ranks, [Some(2), Some(2)]);
    })
    .await;
}
