//! Enums of business errors.
#![allow(unused)]

use butterfly_macros::Stat;

struct NoText;

#[derive(Stat)]
struct Single;

#[derive(Stat)]
enum Fields {
    Fine,
    Named { reason: String },
    Two(u32, u32),
}

#[derive(Stat)]
enum Attributes {
    #[stat]
    Nothing,
    #[stat(ERR_NAME)]
    Name,
    #[stat = "ERR_VALUE"]
    Value,
    #[stat("ERR_A")]
    #[stat("ERR_B")]
    Twice,
    #[stat("")]
    Empty,
    #[stat("OK")]
    NoError,
}

#[derive(Stat)]
enum Generic<T> {
    Value(T),
}

#[derive(Stat)]
enum Unspeakable {
    Value(NoText),
}

fn main() {}
