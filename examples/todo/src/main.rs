//! A list of things to do: handlers from an entity, on SQLite, MySQL or PostgreSQL.

butterfly::handlers!();

fn main() -> std::process::ExitCode {
    butterfly::app!().run()
}
