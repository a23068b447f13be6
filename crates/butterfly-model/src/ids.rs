//! Ids: snowflake and UUID v7.
