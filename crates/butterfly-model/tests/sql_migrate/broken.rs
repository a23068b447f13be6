//! Files that fail, that have changed, that are gone.

use butterfly_model::sql::Driver;
use butterfly_model::sql::migrate::MigrationState;

use crate::place::on_each;

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_fails_is_named_and_can_be_mended() {
    on_each(async |place| {
        let some = place.of("none");
        place.put("1_a.up.sql", "CREATE TABLE a (id INTEGER);");
        place.put(
            "2_b.up.sql",
            "-- two tables\nCREATE TABLE b (id INTEGER);\nINSERT INTO b VALUES (1);\n\nINSERT INTO nowhere\nVALUES (2);\n",
        );
        let failed = some.up(&[]).await.unwrap_err().to_string();
        assert!(failed.contains("2_b.up.sql, line 5: ") && failed.contains("INSERT INTO nowhere"), "{failed}");
        let status = some.status().await.unwrap();
        let states: Vec<_> = status.migrations.iter().map(|one| one.state).collect();
        if place.driver() == Driver::MySql {
            assert_eq!(
                states,
                [MigrationState::Applied, MigrationState::Stopped { done: 2, of: 3, back: false }]
            );
            assert!(failed.contains("first 2 of 3 statements"), "{failed}");
            assert!(status.migrations[1].error.contains("statement 3 (line 5)"), "{:?}", status.migrations[1]);
            // What is done may not change behind our back.
            place.put("2_b.up.sql", "CREATE TABLE b (id BIGINT);\nINSERT INTO b VALUES (1);\nSELECT 1");
            let refused = some.up(&[]).await.unwrap_err().to_string();
            assert!(refused.contains("stopped after 2 statements, and those have changed"), "{refused}");
        } else {
            assert_eq!(states, [MigrationState::Applied, MigrationState::Pending]);
            assert!(failed.contains("nothing of it was kept"), "{failed}");
            assert!(!place.has("b").await);
        }
        place.put(
            "2_b.up.sql",
            "CREATE TABLE b (id INTEGER);\nINSERT INTO b VALUES (1);\nINSERT INTO b VALUES (2);\n",
        );
        assert_eq!(some.up(&[]).await.unwrap(), ["2_b"]);
        assert_eq!(place.number("SELECT count(*) FROM b").await, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_applied_may_not_change_and_may_be_gone() {
    on_each(async |place| {
        let some = place.of("none");
        place.put("1_a.up.sql", "CREATE TABLE a (id INTEGER);");
        place.put("2_b.up.sql", "CREATE TABLE b (id INTEGER);");
        some.up(&[]).await.unwrap();
        place.put("1_a.up.sql", "CREATE TABLE a (id BIGINT);");
        place.put("3_c.up.sql", "CREATE TABLE c (id INTEGER);");
        let changed = some.up(&[]).await.unwrap_err().to_string();
        assert!(changed.contains("1_a has changed since it was applied"), "{changed}");
        assert!(!place.has("c").await);
        place.put("1_a.up.sql", "CREATE TABLE a (id INTEGER);");
        // An older program has fewer files, and works.
        std::fs::remove_file(place.folder.join("2_b.up.sql")).unwrap();
        assert_eq!(some.up(&[]).await.unwrap(), ["3_c"]);
        let status = some.status().await.unwrap();
        let states: Vec<_> = status.migrations.iter().map(|one| (one.name.as_str(), one.state)).collect();
        assert_eq!(
            states,
            [
                ("1_a", MigrationState::Applied),
                ("2_b", MigrationState::Missing),
                ("3_c", MigrationState::Applied)
            ]
        );
        assert!(!status.in_order());
        let down = some.down(1).await.unwrap_err().to_string();
        assert!(down.contains("3_c.down.sql is not there"), "{down}");
        // One that came in late, from a branch of its own, is applied too.
        place.put("2_b.up.sql", "CREATE TABLE b (id INTEGER);");
        place.put("1_z.up.sql", "CREATE TABLE z (id INTEGER);");
        assert_eq!(some.up(&[]).await.unwrap(), ["1_z"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_and_odd_texts_run_as_they_are() {
    on_each(async |place| {
        let some = place.of("none");
        let body = match place.driver() {
            Driver::Sqlite => "CREATE TRIGGER t AFTER INSERT ON a WHEN NEW.id < 9 BEGIN INSERT INTO a VALUES (10, 'x;'); INSERT INTO a VALUES (11, CASE WHEN 1 THEN 'y' END); END;",
            Driver::MySql => "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN IF NEW.id < 9 THEN SET NEW.id = NEW.id + 10; END IF; SET NEW.text = 'x;'; END;",
            Driver::Postgres => "CREATE FUNCTION f() RETURNS trigger AS $body$ BEGIN NEW.id := NEW.id + 10; NEW.text := 'x;'; RETURN NEW; END $body$ LANGUAGE plpgsql;\nCREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION f();",
        };
        place.put("1_a.up.sql", &format!("CREATE TABLE a (id INTEGER, text VARCHAR(20)); -- a; b\n{body}\nINSERT INTO a VALUES (1, 'it''s; /*');\n/* end; */"));
        some.up(&[]).await.unwrap();
        let expected = if place.driver() == Driver::Sqlite { 3 } else { 1 };
        assert_eq!(place.number("SELECT count(*) FROM a").await, expected);
        assert_eq!(place.number("SELECT count(*) FROM a WHERE id >= 10 AND text = 'x;'").await, 1);
    })
    .await;
}

/// SQLite watches no keys while a table is made anew: what would refer to nothing is found before it is kept.
#[tokio::test]
async fn rows_that_would_refer_to_nothing_are_refused() {
    on_each(async |place| {
        if place.driver() != Driver::Sqlite {
            return;
        }
        let some = place.of("none");
        place.put("1_a.up.sql", "CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (a INTEGER REFERENCES a(id)); INSERT INTO a VALUES (1); INSERT INTO b VALUES (1);");
        some.up(&[]).await.unwrap();
        place.put("2_b.up.sql", "DELETE FROM a WHERE id = 1;");
        let refused = some.up(&[]).await.unwrap_err().to_string();
        assert!(refused.contains("1 rows would refer to rows that are not there"), "{refused}");
        assert_eq!(place.number("SELECT count(*) FROM a").await, 1);
    })
    .await;
}
