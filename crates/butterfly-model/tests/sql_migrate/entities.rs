//! One program's entities, before and after a change.

#![allow(unreachable_pub, reason = "what SeaORM makes of them is public")]

pub(crate) mod v1 {
    pub mod author {
        use butterfly_model::sql::prelude::*;

        #[sea_orm::model]
        #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
        #[sea_orm(table_name = "author")]
        pub struct Model {
            #[sea_orm(primary_key)]
            pub id: i64,
            #[sea_orm(unique)]
            pub name: String,
        }

        impl ActiveModelBehavior for ActiveModel {}
    }

    pub mod book {
        use butterfly_model::sql::prelude::*;

        #[sea_orm::model]
        #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
        #[sea_orm(table_name = "book")]
        pub struct Model {
            #[sea_orm(primary_key)]
            pub id: i64,
            pub author_id: i64,
            #[sea_orm(indexed, column_type = "String(StringLen::N(200))")]
            pub title: String,
            #[sea_orm(column_type = "Decimal(Some((10, 2)))")]
            pub price: Option<f64>,
            pub pages: Option<i32>,
            #[sea_orm(default_value = "it's \\ new; -- really")]
            pub state: String,
            pub doc: Option<Json>,
            pub code: Option<Uuid>,
            #[sea_orm(default_expr = "Expr::current_timestamp()")]
            pub added: TimeDateTimeWithTimeZone,
            #[sea_orm(default_value = false)]
            pub lent: bool,
            #[sea_orm(belongs_to, from = "author_id", to = "id", on_delete = "Cascade")]
            pub author: BelongsTo<super::author::Entity>,
        }

        impl ActiveModelBehavior for ActiveModel {}
    }

    /// Names that are keywords, have quotes, and more than ASCII.
    pub mod order {
        use butterfly_model::sql::prelude::*;

        #[sea_orm::model]
        #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
        #[sea_orm(table_name = "order")]
        pub struct Model {
            #[sea_orm(primary_key, auto_increment = false)]
            pub one: i32,
            #[sea_orm(primary_key, auto_increment = false, column_name = "select")]
            pub two: String,
            #[sea_orm(column_name = "it's a \"名\", `;--", unique_key = "pair")]
            pub odd: i32,
            #[sea_orm(column_name = "größe (cm)", unique_key = "pair")]
            pub size: i32,
        }

        impl ActiveModelBehavior for ActiveModel {}
    }

    pub mod mood {
        use butterfly_model::sql::prelude::*;

        #[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
        #[sea_orm(rs_type = "String", db_type = "Enum", enum_name = "feeling")]
        pub enum Feeling {
            #[sea_orm(string_value = "good")]
            Good,
            #[sea_orm(string_value = "bad")]
            Bad,
        }

        #[sea_orm::model]
        #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
        #[sea_orm(table_name = "mood")]
        pub struct Model {
            #[sea_orm(primary_key)]
            pub id: i32,
            pub feeling: Feeling,
        }

        impl ActiveModelBehavior for ActiveModel {}
    }
}

pub(crate) mod v2 {
    pub mod author {
        use butterfly_model::sql::prelude::*;

        #[sea_orm::model]
        #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
        #[sea_orm(table_name = "author")]
        pub struct Model {
            #[sea_orm(primary_key)]
            pub id: i64,
            // No longer unique, and indexed.
            #[sea_orm(indexed)]
            pub name: String,
        }

        impl ActiveModelBehavior for ActiveModel {}
    }

    pub mod book {
        use butterfly_model::sql::prelude::*;

        #[sea_orm::model]
        #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
        #[sea_orm(table_name = "book")]
        pub struct Model {
            #[sea_orm(primary_key)]
            pub id: i64,
            // May be nobody's, and stays when its author goes.
            pub author_id: Option<i64>,
            // Longer, and not indexed.
            #[sea_orm(column_type = "String(StringLen::N(300))")]
            pub title: String,
            // Has fewer digits behind the point: a loss.
            #[sea_orm(column_type = "Decimal(Some((10, 1)))")]
            pub price: Option<f64>,
            // `pages` goes.
            #[sea_orm(default_value = "old")]
            pub state: String,
            pub doc: Option<Json>,
            pub code: Option<Uuid>,
            #[sea_orm(default_expr = "Expr::current_timestamp()")]
            pub added: TimeDateTimeWithTimeZone,
            #[sea_orm(default_value = false)]
            pub lent: bool,
            #[sea_orm(default_value = 1)]
            pub stock: i32,
            #[sea_orm(unique)]
            pub isbn: Option<String>,
            #[sea_orm(belongs_to, from = "author_id", to = "id", on_delete = "SetNull")]
            pub author: BelongsTo<Option<super::author::Entity>>,
        }

        impl ActiveModelBehavior for ActiveModel {}
    }

    pub mod tag {
        use butterfly_model::sql::prelude::*;

        #[sea_orm::model]
        #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
        #[sea_orm(table_name = "tag")]
        pub struct Model {
            #[sea_orm(primary_key, auto_increment = false)]
            pub word: Uuid,
            pub book_id: i64,
            #[sea_orm(belongs_to, from = "book_id", to = "id")]
            pub book: BelongsTo<super::book::Entity>,
        }

        impl ActiveModelBehavior for ActiveModel {}
    }

    pub mod mood {
        use butterfly_model::sql::prelude::*;

        #[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
        #[sea_orm(rs_type = "String", db_type = "Enum", enum_name = "feeling")]
        pub enum Feeling {
            #[sea_orm(string_value = "good")]
            Good,
            #[sea_orm(string_value = "bad")]
            Bad,
            #[sea_orm(string_value = "so; so")]
            SoSo,
        }

        #[sea_orm::model]
        #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
        #[sea_orm(table_name = "mood")]
        pub struct Model {
            #[sea_orm(primary_key)]
            pub id: i32,
            pub feeling: Feeling,
        }

        impl ActiveModelBehavior for ActiveModel {}
    }
}
