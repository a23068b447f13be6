//! Entities that are no resources: `#[derive(Resource)]` says what to do.

use butterfly_macros::Resource;

#[derive(Resource)]
enum Shape {
    Round,
}

mod another_name {
    #[derive(super::Resource)]
    struct User {
        #[resource(filter)]
        id: i64,
    }
}

mod keys {
    #[derive(super::Resource)]
    #[resource(path = "todo", only = "list,drop", guard = "none", colour = "red", list)]
    struct Model {
        #[resource(filter(contains, null, like), width = 3)]
        id: i64,
        #[resource(filter)]
        sort: String,
    }
}

fn main() {}
