//! Values that a table refuses though its entity takes them: the table is older, or made otherwise.

use butterfly_core::{BadParams, Error, Fault};
use sea_orm::{DbErr, EntityTrait, IdenStatic, Iterable};
use sqlx::mysql::MySqlDatabaseError;

use super::fault;

/// The error for the caller when a column refused a value: it names the column, and the log says what to do. MySQL and MariaDB
/// alone say which column it was.
pub(super) fn explain<E: EntityTrait>(error: &DbErr) -> Option<Error> {
    let said = fault::of_database(error)?.try_downcast_ref::<MySqlDatabaseError>()?;
    let (problem, remedy) = match said.number() {
        // ER_TRUNCATED_WRONG_VALUE_FOR_FIELD, for texts: "Incorrect string value: '\xF0\x9F…' for column …".
        1366 => (
            "has characters that this database cannot keep there",
            "ALTER TABLE … CONVERT TO CHARACTER SET utf8mb4 lets it take every text",
        ),
        // ER_DATA_TOO_LONG, ER_WARN_DATA_OUT_OF_RANGE.
        1406 => ("is longer than this database keeps there", "the table needs a migration"),
        1264 => ("is out of the range that this database keeps there", "the table needs a migration"),
        _ => return None,
    };
    let name = column::<E>(said.message())?;
    tracing::warn!(target: "butterfly::sql", "the column {name} takes less than its entity says: {remedy} ({error})");
    let mut bad = BadParams::default();
    bad.push(name, problem);
    Some(Fault::BadParams(bad).into())
}

/// Whether a text has letters that the column it is compared with cannot have: MySQL and MariaDB call it an illegal mix of
/// collations. No row has such a text.
pub(super) fn has_foreign_letters(error: &Error) -> bool {
    let Fault::Server { source, .. } = error.fault() else { return false };
    let said = fault::within(source.as_ref()).and_then(fault::of_database);
    let said = said.and_then(|said| said.try_downcast_ref::<MySqlDatabaseError>());
    // ER_CANT_AGGREGATE_2COLLATIONS and its kin for more of them.
    said.is_some_and(|said| matches!(said.number(), 1267 | 1270 | 1271))
}

/// The error for the caller of a query, by the parameters whose texts have other letters than Latin ones.
pub(super) fn explain_query(error: Error, params: &[String]) -> Error {
    if params.is_empty() || !has_foreign_letters(&error) {
        return error;
    }
    let mut bad = BadParams::default();
    params.iter().for_each(|name| bad.push(name, "has characters that this database cannot keep there"));
    Fault::BadParams(bad).into()
}

/// The column of `… for column 'title' at row 1`, or MariaDB's `… for column `shop`.`todo`.`title` at row 1`.
fn column<E: EntityTrait>(said: &str) -> Option<&'static str> {
    let (_, place) = said.rsplit_once(" for column ")?;
    let name = place.rsplit_once(" at row ")?.0.rsplit('.').next()?.trim_matches(['\'', '`']);
    E::Column::iter().map(|column| column.as_str()).find(|known| *known == name)
}
