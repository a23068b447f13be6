//! The table `book`.

use butterfly_model::sql::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Enum", enum_name = "feeling")]
pub enum Feeling {
    #[sea_orm(string_value = "good")]
    Good,
    #[sea_orm(string_value = "so; 'so'")]
    SoSo,
    #[sea_orm(string_value = "Not Good")]
    NotGood,
}

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
    #[sea_orm(column_type = "Decimal(Some((10, 2)))", select_as = "text", save_as = "numeric(10,2)")]
    pub price: Option<String>,
    #[sea_orm(column_type = "Decimal(None)", select_as = "text", save_as = "numeric")]
    pub exact: Option<String>,
    pub weight: Option<f64>,
    pub size: Option<f32>,
    pub doc: Option<Json>,
    #[sea_orm(column_type = "JsonBinary")]
    pub docb: Option<Json>,
    #[sea_orm(default_expr = "Expr::cust(\"gen_random_uuid()\")")]
    pub code: Option<Uuid>,
    #[sea_orm(default_expr = "Expr::current_timestamp()")]
    pub added: TimeDateTimeWithTimeZone,
    #[sea_orm(default_expr = "Expr::cust(\"now()\")")]
    pub seen: Option<TimeDateTimeWithTimeZone>,
    pub at: Option<TimeDateTime>,
    pub clock: Option<TimeTime>,
    #[sea_orm(default_value = false)]
    pub lent: bool,
    #[sea_orm(column_type = "Blob")]
    pub cover: Option<Vec<u8>>,
    #[sea_orm(column_type = "custom(\"inet\")", select_as = "text", save_as = "inet")]
    pub address: Option<String>,
    #[sea_orm(default_value = "good")]
    pub mood: Feeling,
    #[sea_orm(default_expr = "Expr::cust(\"'-1'::integer\")")]
    pub less: Option<i32>,
    #[sea_orm(belongs_to, relation_enum = "Author", from = "author_id", to = "id", on_delete = "Cascade", on_update = "SetNull")]
    pub author: BelongsTo<super::author::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Editor", from = "editor_id", to = "id")]
    pub editor: BelongsTo<Option<super::author::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
