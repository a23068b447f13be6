//! What these tests keep.

/// Notes of several owners, who see their own; what is deleted stays.
pub mod note {
    use butterfly::model::sql::prelude::*;
    use butterfly::model::sql::resource::Action;
    use butterfly::{Ctx, Error, Result};

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Resource)]
    #[sea_orm(table_name = "note")]
    #[resource(path = "/note", scope = own, guard = writers, history(timeout = "20s"))]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub owner: String,
        #[sea_orm(unique)]
        #[resource(filter, sort, check(len(1..)))]
        pub title: String,
        pub stars: Option<i32>,
        #[resource(hidden)]
        pub secret: Option<String>,
        pub deleted_at: Option<TimeDateTimeWithTimeZone>,
    }

    impl ActiveModelBehavior for ActiveModel {}

    fn own(ctx: &Ctx) -> Result<Condition> {
        Ok(match ctx.username() {
            "root" => Condition::all(),
            name => Condition::all().add(Column::Owner.eq(name)),
        })
    }

    fn writers(ctx: &Ctx, action: Action) -> Result<()> {
        match (ctx.username(), action) {
            ("reader", Action::Create | Action::Update | Action::Delete | Action::History) => {
                Err(Error::business_because("ERR_READ_ONLY", format!("no {} for you", action.as_str())))
            }
            _ => Ok(()),
        }
    }
}

/// Tags by name: the key is text, and the caller's.
pub mod tag {
    use butterfly::model::sql::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Resource)]
    #[sea_orm(table_name = "tag")]
    #[resource(path = "/tag", history)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        pub count: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Files by UUID, of which no history is kept.
pub mod asset {
    use butterfly::model::sql::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Resource)]
    #[sea_orm(table_name = "asset")]
    #[resource(path = "/asset", sort = "size")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        #[resource(filter, sort)]
        pub size: i32,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
