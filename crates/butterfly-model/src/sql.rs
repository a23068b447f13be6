//! SQL: databases by name, through SeaORM.
