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
    #[sea_orm(column_type = "String(StringLen::N(200))", indexed, default_value = "it's new; -- \"really\"")]
    pub title: String,
    #[sea_orm(column_type = "Text")]
    pub about: Option<String>,
    #[sea_orm(column_type = "Decimal(Some((10, 2)))")]
    pub price: Option<f64>,
    pub weight: Option<f64>,
    pub size: Option<f32>,
    pub doc: Option<Json>,
    #[sea_orm(column_type = "JsonBinary")]
    pub docb: Option<Json>,
    pub code: Option<Uuid>,
    #[sea_orm(default_expr = "Expr::current_timestamp()")]
    pub added: TimeDateTimeWithTimeZone,
    pub at: Option<TimeDateTime>,
    pub clock: Option<TimeTime>,
    #[sea_orm(default_value = false)]
    pub lent: bool,
    #[sea_orm(column_type = "Blob")]
    pub cover: Option<Vec<u8>>,
    #[sea_orm(column_type = "custom(\"bigint\")")]
    pub amount: Option<i64>,
    #[sea_orm(column_type = "custom(\"some int type\")")]
    pub odd: Option<i64>,
    #[sea_orm(column_type = "custom(\"characters\")")]
    pub more: Option<String>,
    #[sea_orm(belongs_to, relation_enum = "Author", from = "author_id", to = "id", on_delete = "Cascade", on_update = "SetNull")]
    pub author: BelongsTo<super::author::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Editor", from = "editor_id", to = "id")]
    pub editor: BelongsTo<Option<super::author::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
