//! Handlers from an entity.
#![allow(unused)]

use butterfly_macros::Resource;

#[derive(Resource)]
enum Shape {
    Round,
}

#[derive(Resource)]
struct Tuple(i64);

#[derive(Resource)]
struct User {
    #[sea_orm(primary_key)]
    id: i64,
}

mod keys {
    use super::Resource;

    mod none {
        use super::Resource;
        #[derive(Resource)]
        struct Model {
            name: String,
        }
    }

    mod two {
        use super::Resource;
        #[derive(Resource)]
        struct Model {
            #[sea_orm(primary_key)]
            shop: i64,
            #[sea_orm(primary_key)]
            item: i64,
        }
    }
}

mod options {
    use super::Resource;
    #[derive(Resource)]
    #[resource(path = "todo", only = "list,drop,history", sort = 7, guard = "everyone", scope)]
    #[resource(list, history = true, colour = "red")]
    struct Model {
        #[sea_orm(primary_key)]
        id: i64,
    }
}

mod history {
    use super::Resource;
    mod kept_by_nobody {
        use super::Resource;
        #[derive(Resource)]
        #[resource(only = "list,history")]
        struct Model {
            #[sea_orm(primary_key)]
            id: i64,
        }
    }

    mod of_a_key_with_its_names {
        use super::Resource;
        #[derive(Resource)]
        #[resource(history)]
        struct Model {
            #[sea_orm(primary_key)]
            after: i64,
        }
    }
}

mod fields {
    use super::Resource;
    #[derive(Resource)]
    struct Model {
        #[sea_orm(primary_key)]
        #[resource(filter(like))]
        id: i64,
        #[resource(filter(contains, null))]
        size: i32,
        #[resource(filter)]
        sort: String,
        #[resource(width = 3)]
        name: String,
        #[resource(check(len(1..), ..))]
        text: String,
        #[resource(filter = "eq")]
        other: String,
    }
}

fn main() {}
