//! The table `book`.

use butterfly_model::sql::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "book")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub author_id: i64,
    pub editor_id: Option<i64>,
    #[sea_orm(column_type = "String(StringLen::N(200))", indexed, default_value = "it's new; -- \"really\" \\")]
    pub title: String,
    #[sea_orm(column_type = "Text")]
    pub about: Option<String>,
    #[sea_orm(column_type = "custom(\"longtext\")")]
    pub story: Option<String>,
    #[sea_orm(column_type = "Decimal(Some((10, 2)))", select_as = "char", save_as = "decimal(10,2)")]
    pub price: Option<String>,
    pub weight: Option<f64>,
    pub size: Option<f32>,
    pub doc: Option<Json>,
    pub code: Option<Uuid>,
    #[sea_orm(default_expr = "Expr::current_timestamp()")]
    pub added: TimeDateTimeWithTimeZone,
    pub at: Option<TimeDateTime>,
    pub clock: Option<TimeTime>,
    #[sea_orm(default_value = false)]
    pub lent: bool,
    #[sea_orm(column_type = "Blob")]
    pub cover: Option<Vec<u8>>,
    #[sea_orm(column_type = "custom(\"longblob\")")]
    pub picture: Option<Vec<u8>>,
    #[sea_orm(column_type = "VarBinary(StringLen::N(40))")]
    pub sign: Option<Vec<u8>>,
    pub amount: Option<u64>,
    pub small: Option<i8>,
    pub tiny: Option<u16>,
    #[sea_orm(column_type = "custom(\"enum('new','old')\")", default_value = "new")]
    pub state: String,
    #[sea_orm(column_type = "custom(\"year(4)\")", select_as = "char", save_as = "char")]
    pub made: Option<String>,
    #[sea_orm(belongs_to, relation_enum = "Editor", from = "editor_id", to = "id")]
    pub editor: BelongsTo<Option<super::author::Entity>>,
    #[sea_orm(belongs_to, relation_enum = "Author", from = "author_id", to = "id", on_delete = "Cascade")]
    pub author: BelongsTo<super::author::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
