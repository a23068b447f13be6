//! What statements take: in the call's talk marks, and in the log when they are slow.

use std::time::Duration;

use butterfly_core::current;
use sea_orm::metric::Info;

/// The name under which a call's statements add up: `talk:db=1.204`.
pub(super) const MARK: &str = "db";
/// The part of a statement that the log keeps, in bytes.
const LOGGED: usize = 1024;

/// Notes a statement. Values are never logged: they may be secrets.
pub(super) fn note(name: &str, slow: Duration, info: &Info<'_>) {
    current::spend(MARK, info.elapsed);
    if info.elapsed >= slow {
        let sql = &info.statement.sql;
        let cut = &sql[..sql.floor_char_boundary(LOGGED)];
        let ms = info.elapsed.as_secs_f64() * 1000.0;
        let failed = if info.failed { ", and it failed" } else { "" };
        tracing::warn!(target: "butterfly::sql", database = name, "slow statement, {ms:.1} ms{failed}: {cut}");
    }
}
