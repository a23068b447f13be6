//! The order that a caller may ask for: `sort=-due,id`.

use butterfly_core::{BadParams, Fault, Result};
use sea_orm::{ColumnTrait, EntityTrait, IdenStatic, Order, QueryOrder, Select};

/// An order of rows: columns, each up or down. Null stands last either way, in every database.
#[derive(Clone, Debug)]
pub struct Sort<C>(Vec<(C, Order)>);

impl<C: ColumnTrait> Sort<C> {
    /// Reads `-due,id`: columns apart by commas, `-` for down; only of those allowed.
    ///
    /// # Errors
    ///
    /// `ERR_BAD_PARAMS` that names `sort`, and what is allowed.
    pub fn parse(text: &str, allowed: &[C]) -> Result<Self> {
        let wrong = |problem: String| {
            let mut bad = BadParams::default();
            bad.push("sort", problem);
            Fault::BadParams(bad)
        };
        let mut order = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, way) = part.strip_prefix('-').map_or((part, Order::Asc), |name| (name, Order::Desc));
            let Some(column) = allowed.iter().find(|column| column.as_str() == name) else {
                let known: Vec<&str> = allowed.iter().map(IdenStatic::as_str).collect();
                let shown: String = name.chars().take(64).collect();
                return Err(wrong(format!("unknown column {shown:?}, known are {}", known.join(", "))).into());
            };
            if order.iter().any(|(known, _): &(C, Order)| known.as_str() == name) {
                return Err(wrong(format!("{name} stands twice")).into());
            }
            order.push((*column, way));
        }
        Ok(Self(order))
    }

    /// Makes the order total: rows that are equal in it go by this column.
    #[must_use]
    pub fn then(mut self, column: C) -> Self {
        if !self.0.iter().any(|(known, _)| known.as_str() == column.as_str()) {
            // Newest first stays newest first.
            let way = self.0.last().map_or(Order::Asc, |(_, way)| way.clone());
            self.0.push((column, way));
        }
        self
    }

    /// The columns in order.
    pub fn columns(&self) -> &[(C, Order)] {
        &self.0
    }

    /// Puts the rows of a query in this order.
    #[must_use]
    pub fn apply<E: EntityTrait<Column = C>>(&self, mut query: Select<E>) -> Select<E> {
        for (column, way) in &self.0 {
            if column.def().is_null() {
                query = query.order_by_asc(column.is_null());
            }
            query = query.order_by(*column, way.clone());
        }
        query
    }
}
