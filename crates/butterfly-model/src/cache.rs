//! A cache: memory, disk and Redis, one trait.
