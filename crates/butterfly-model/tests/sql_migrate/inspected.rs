//! Entities written from databases: those in the folders beside this file, which are compiled with it. They are written anew
//! with `MIGRATE_TEST_WRITE=1 bash .ci/sql cargo test -p butterfly-model --features live --test sql_migrate inspected`.

#![allow(unreachable_pub, reason = "what SeaORM makes of entities is public")]

use std::path::Path;

use butterfly_model::sql::Driver;
use butterfly_model::sql::migrate::EntityFile;

use crate::place::on_each;

#[rustfmt::skip]
mod mysql {
    pub mod author;
    pub mod book;
    pub mod category;
    pub mod order;
}

#[rustfmt::skip]
mod postgres {
    pub mod author;
    pub mod book;
    pub mod category;
    pub mod order;
}

#[rustfmt::skip]
mod sqlite {
    pub mod author;
    pub mod book;
    pub mod category;
    pub mod order;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_database_becomes_entities_without_a_difference() {
    on_each(async |place| {
        let engine = match place.driver() {
            Driver::Sqlite => "sqlite",
            Driver::MySql => "mysql",
            Driver::Postgres => "postgres",
        };
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sql_migrate/inspected");
        let tables = std::fs::read_to_string(folder.join(format!("{engine}.sql"))).unwrap();
        place.put("1_there.up.sql", &tables);
        place.of("none").up(&[]).await.unwrap();
        let files = place.of("none").inspect(&[]).await.unwrap();
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["author.rs", "book.rs", "category.rs", "order.rs"]);
        let writing = std::env::var_os("MIGRATE_TEST_WRITE").is_some();
        for file in &files {
            let path = folder.join(engine).join(&file.name);
            let text = file.text.replace("butterfly::model", "butterfly_model");
            if writing {
                std::fs::write(&path, &text).unwrap();
            }
            assert_eq!(text, std::fs::read_to_string(&path).unwrap(), "{}", path.display());
        }
        notes(&files, place.driver());
        // What is written now is compiled the next time.
        if writing {
            return;
        }
        let status = place.at(&format!("sql_migrate::inspected::{engine}::")).status().await.unwrap();
        assert!(status.drift.is_empty(), "{:#?}", status.drift);
        assert!(status.in_order());
        let one = place.of("none").inspect(&["author".into()]).await.unwrap();
        assert_eq!((one.len(), &one[0].text), (1, &files[0].text));
        let none = place.of("none").inspect(&["nothing".into()]).await.unwrap_err().to_string();
        assert!(none.contains("no table nothing (there are: author, book"), "{none}");
    })
    .await;
}

/// What an entity cannot say is told.
fn notes(files: &[EntityFile], driver: Driver) {
    let notes =
        files.iter().flat_map(|file| file.notes.iter().map(String::as_str)).collect::<Vec<_>>().join("\n");
    assert!(notes.contains("book: an entity cannot say the index by_two"), "{notes}");
    match driver {
        Driver::Sqlite => assert!(notes.contains("the index partly"), "{notes}"),
        Driver::MySql => assert!(notes.contains("book.price: decimal(10,2) is a text"), "{notes}"),
        Driver::Postgres => assert!(notes.contains("book.price: numeric(10,2) is a text"), "{notes}"),
    }
}
