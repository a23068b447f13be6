//! Entities, files, database, and back again.

use butterfly_model::sql::Driver;

use crate::place::{Place, on_each, text};

/// What is left between the database and the entities of a module, for people.
async fn drift(place: &Place, module: &str) -> Vec<String> {
    place.of(module).status().await.unwrap().drift.into_iter().map(|step| step.says).collect()
}

const NONE: [String; 0] = [];

#[tokio::test(flavor = "multi_thread")]
async fn entities_go_to_the_database_and_changes_after_them() {
    on_each(async |place| {
        let (one, two) = (place.of("v1"), place.of("v2"));
        let made = one.make("first", false, &[]).await.unwrap().unwrap();
        assert!(made.steps.iter().all(|step| step.loses.is_none()), "{:?}", made.steps);
        let again = one.make("second", false, &[]).await.unwrap_err().to_string();
        assert!(again.contains("_first is not applied") && again.contains("migrate up"), "{again}");
        assert_eq!(one.up(&[]).await.unwrap(), [made.name]);
        assert_eq!(drift(place, "v1").await, NONE, "{}", text(&made.files[0]));
        assert!(one.make("nothing", false, &[]).await.unwrap().is_none());
        assert!(one.up(&[]).await.unwrap().is_empty());
        assert!(one.status().await.unwrap().in_order());

        place.run("INSERT INTO author (name) VALUES ('Ann')").await;
        let insert =
            "INSERT INTO book (author_id, title, price, pages) SELECT id, 'On 名', 12.34, 99 FROM author";
        place.run(insert).await;
        place.run("INSERT INTO mood (feeling) VALUES ('bad')").await;

        let made = two.make("second", false, &[]).await.unwrap().unwrap();
        let losses: Vec<&str> = made.steps.iter().filter_map(|step| step.loses.as_deref()).collect();
        let losses = losses.join("; ");
        for part in ["all rows of order", "book.pages", "book.price"] {
            assert!(losses.contains(part), "{part}: {losses}");
        }
        let refused = two.up(&[]).await.unwrap_err().to_string();
        assert!(refused.contains("_second loses data") && refused.contains("--yes"), "{refused}");
        assert_eq!(place.number("SELECT count(*) FROM book WHERE pages = 99").await, 1);
        assert_eq!(two.up(std::slice::from_ref(&made.name)).await.unwrap(), [made.name.as_str()]);
        assert_eq!(drift(place, "v2").await, NONE, "{}", text(&made.files[0]));
        assert!(two.make("nothing", false, &[]).await.unwrap().is_none());
        assert_eq!(place.number("SELECT stock FROM book WHERE title = 'On 名'").await, 1);
        place.run("DELETE FROM author").await;
        assert_eq!(place.number("SELECT count(*) FROM book WHERE author_id IS NULL").await, 1);

        // Back, as it was, but for the values that went; and forth again.
        place.run("DELETE FROM book").await;
        let losses = two.down_loses(1).await.unwrap();
        assert!(losses[0].1.iter().any(|loss| loss.contains("book.stock")), "{losses:?}");
        assert_eq!(two.down(1).await.unwrap(), [made.name.as_str()]);
        assert_eq!(drift(place, "v1").await, NONE, "{}", text(&made.files[1]));
        assert_eq!(place.number("SELECT count(*) FROM mood WHERE feeling = 'bad'").await, 1);
        assert_eq!(two.up(&[made.name]).await.unwrap().len(), 1);
        assert_eq!(drift(place, "v2").await, NONE);
        assert_eq!(two.down(2).await.unwrap().len(), 2);
        for table in ["book", "author", "tag", "mood"] {
            assert!(!place.has(table).await, "{table}");
        }
        assert!(two.down(1).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_were_made_at_the_start_are_taken_over() {
    on_each(async |place| {
        let one = place.of("v1");
        one.make("first", false, &[]).await.unwrap().unwrap();
        one.up(&[]).await.unwrap();
        // A database whose tables nobody noted.
        place.run("DROP TABLE butterfly_migrations").await;
        std::fs::remove_dir_all(&place.folder).unwrap();
        assert!(one.make("nothing", false, &[]).await.unwrap().is_none());
        let made = one.make("first", true, &[]).await.unwrap().unwrap();
        assert_eq!(one.mark().await.unwrap(), [made.name]);
        assert!(one.up(&[]).await.unwrap().is_empty());
        assert!(one.status().await.unwrap().in_order());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_made_is_left_alone() {
    on_each(async |place| {
        let one = place.of("v1");
        one.make("first", false, &[]).await.unwrap().unwrap();
        one.up(&[]).await.unwrap();
        place.run("CREATE TABLE others (id INTEGER)").await;
        place.run("CREATE INDEX fast ON book (pages, lent)").await;
        if place.driver() != Driver::MySql {
            place.run("CREATE INDEX faster ON book (title) WHERE lent").await;
        }
        if place.driver() == Driver::Sqlite {
            place
                .run("CREATE TRIGGER watch AFTER INSERT ON author BEGIN UPDATE author SET name = name; END")
                .await;
        }
        let status = one.status().await.unwrap();
        assert!(status.drift.is_empty(), "{:?}", status.drift);
        assert_eq!(status.alone, ["others"]);
        // A change of the table keeps them.
        let made = place.of("v2").make("second", false, &[]).await.unwrap().unwrap();
        place.of("v2").up(&[made.name]).await.unwrap();
        assert!(place.has("others").await);
        match place.driver() {
            Driver::Sqlite => {
                let kept = "SELECT count(*) FROM sqlite_master WHERE name IN ('faster', 'watch')";
                assert_eq!(place.number(kept).await, 2);
            }
            Driver::Postgres => {
                let kept = "SELECT count(*) FROM pg_indexes WHERE indexname = 'faster'";
                assert_eq!(place.number(kept).await, 1);
            }
            Driver::MySql => {}
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_name_keeps_the_values() {
    on_each(async |place| {
        let (one, two) = (place.of("v1"), place.of("v2"));
        one.make("first", false, &[]).await.unwrap().unwrap();
        one.up(&[]).await.unwrap();
        place.run("INSERT INTO author (name) VALUES ('Ann')").await;
        place.run("INSERT INTO book (author_id, title, pages) SELECT id, 'a', 99 FROM author").await;
        let renamed = |from: &str, to: &str| [("book".to_owned(), from.to_owned(), to.to_owned())];
        let wrong = two.make("second", false, &renamed("none", "stock")).await.unwrap_err().to_string();
        assert!(wrong.contains("book.none cannot become book.stock"), "{wrong}");
        let made = two.make("second", false, &renamed("pages", "stock")).await.unwrap().unwrap();
        assert!(
            !made.steps.iter().any(|step| step.says.contains("drop column book.pages")),
            "{:?}",
            made.steps
        );
        place.run("UPDATE book SET pages = 98 WHERE pages = 99").await;
        two.up(std::slice::from_ref(&made.name)).await.unwrap();
        assert_eq!(place.number("SELECT stock FROM book").await, 98, "{}", text(&made.files[0]));
        assert_eq!(drift(place, "v2").await, NONE);
        two.down(1).await.unwrap();
        assert_eq!(place.number("SELECT pages FROM book").await, 98, "{}", text(&made.files[1]));
        assert_eq!(drift(place, "v1").await, NONE);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_names_table_and_column() {
    on_each(async |place| {
        let one = place.of("v1");
        one.make("first", false, &[]).await.unwrap().unwrap();
        one.up(&[]).await.unwrap();
        place.run("ALTER TABLE book DROP COLUMN pages").await;
        place.run("ALTER TABLE author ADD COLUMN more INTEGER").await;
        let shown = drift(place, "v1").await.join("\n").to_lowercase();
        assert!(shown.contains("add column book.pages int"), "{shown}");
        assert!(shown.contains("drop column author.more"), "{shown}");
    })
    .await;
}
