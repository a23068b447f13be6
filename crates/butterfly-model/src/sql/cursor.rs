//! Rows in pages by place: those that follow a row. However far one reads, a page costs the same, and rows that come or
//! go meanwhile make none appear twice.

use sea_orm::{ColumnTrait, Condition, EntityTrait, ModelTrait, Order};

use super::Sort;

/// The condition for rows that follow a row in an order; the order must be total ([`Sort::then`] with the key).
#[must_use]
pub fn after<E>(sort: &Sort<E::Column>, row: &E::Model) -> Condition
where
    E: EntityTrait,
    E::Model: ModelTrait<Entity = E>,
{
    let mut any = Condition::any();
    let mut same = Condition::all();
    for (column, way) in sort.columns() {
        let value = row.get(*column);
        let null = value == value.as_null();
        // Null stands last: nothing follows it.
        if !null {
            let beyond =
                if *way == Order::Desc { column.lt(value.clone()) } else { column.gt(value.clone()) };
            let mut next = Condition::any().add(beyond);
            if column.def().is_null() {
                next = next.add(column.is_null());
            }
            any = any.add(same.clone().add(next));
        }
        same = same.add(if null { column.is_null() } else { column.eq(value) });
    }
    any
}
