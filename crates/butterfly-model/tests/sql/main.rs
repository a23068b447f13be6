//! SQL as a program sees it: on SQLite always; on MariaDB and PostgreSQL, which the tests start themselves, with the
//! feature `live`.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test may fail")]

/// Makes a test of each case, at an address of a database that is the test's own.
macro_rules! cases {
    ($place:path: $($case:ident),+ $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $case() {
            let place = $place(stringify!($case)).await;
            $crate::cases::$case(&place.url).await;
        }
    )+};
    ($place:path) => {
        cases!($place: commits_and_takes_back, tables_are_made_once, deadlocks_are_tried_again,
            statements_are_in_the_talk, unique_is_not_a_conflict);
    };
}

mod cases;
#[cfg(feature = "live")]
mod servers;

mod sqlite {
    /// A file that goes with the test.
    struct Place {
        url: String,
        _folder: tempfile::TempDir,
    }

    async fn place(_: &str) -> Place {
        let folder = tempfile::tempdir().unwrap();
        Place { url: format!("sqlite:///{}/deep/app.db", folder.path().display()), _folder: folder }
    }

    cases!(place);

    #[tokio::test]
    async fn a_file_that_is_none_of_sqlites_is_refused_by_name() {
        use butterfly_model::sql::{Databases, Failure, create_tables};
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("app.db");
        std::fs::write(&file, "not a database, but long enough to be read as the head of one").unwrap();
        let url = format!("sqlite:///{}", file.display()).parse().unwrap();
        let mut databases = Databases::new();
        databases.add("default", url, std::time::Duration::from_secs(1)).await.unwrap();
        let (_, url, db) = databases.iter().next().unwrap();
        let error = create_tables(url, db).await.unwrap_err();
        assert_eq!(Failure::of(&error), Failure::Refused, "{error}");
    }
}
