//! Rows in pages by number: `page_index` from 1 on, `page_size` rows each.

use butterfly_core::{BadParams, Fault, Result};
use sea_orm::sea_query::{Asterisk, Expr, ExprTrait, Query};
use sea_orm::{
    ConnectionTrait, EntityTrait, FromQueryResult, PaginatorTrait, QuerySelect, QueryTrait, Select,
};

/// The rows of a page when nothing is said.
pub const PAGE_SIZE: u64 = 20;
/// The most rows of a page.
pub const MOST_ROWS: u64 = 1000;

/// Which page: checked numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// The page's number, from 1 on.
    pub index: u64,
    /// The rows of each page.
    pub size: u64,
}

impl Page {
    /// A page of so many rows; the first, of [`PAGE_SIZE`] rows, when nothing is said.
    ///
    /// # Errors
    ///
    /// `ERR_BAD_PARAMS` that names `page_index` (1 or more) or `page_size` (1 to [`MOST_ROWS`]).
    ///
    /// # Example
    ///
    /// ```
    /// use butterfly_model::sql::Page;
    ///
    /// let page = Page::new(Some(3), None)?;
    /// assert_eq!((page.offset(), page.size), (40, 20));
    /// assert!(Page::new(Some(0), None).unwrap_err().to_string().contains("page_index"));
    /// # Ok::<(), butterfly_core::Error>(())
    /// ```
    pub fn new(index: Option<u64>, size: Option<u64>) -> Result<Self> {
        let page = Self { index: index.unwrap_or(1), size: size.unwrap_or(PAGE_SIZE) };
        let mut bad = BadParams::default();
        if !(1..=MOST_ROWS).contains(&page.size) {
            bad.push("page_size", format!("must be in 1..={MOST_ROWS}, got {}", page.size));
        }
        // What lies behind this is no row of any table, and offsets are signed numbers.
        let last = u64::from(u32::MAX);
        if !(1..=last).contains(&page.index) {
            bad.push("page_index", format!("must be in 1..={last}, got {}", page.index));
        }
        if bad.is_empty() { Ok(page) } else { Err(Fault::BadParams(bad).into()) }
    }

    /// How many rows lie before it.
    #[must_use]
    pub fn offset(&self) -> u64 {
        (self.index - 1) * self.size
    }

    /// The rows of this page, and how many there are on all pages. The query needs a total order, else pages may overlap.
    ///
    /// # Errors
    ///
    /// What the database says.
    pub async fn of<E, C>(&self, query: Select<E>, db: &C) -> Result<(Vec<E::Model>, u64)>
    where
        E: EntityTrait,
        E::Model: FromQueryResult + Sized + Send + Sync,
        C: ConnectionTrait,
    {
        let (counted, total) = ((self.index > 1).then(|| query.clone()), total_of(&query));
        let query = query.expr_as(total, TOTAL).offset(self.offset()).limit(self.size);
        let found = db.query_all(&query.into_query()).await?;
        let Some(first) = found.first() else {
            // Where no row is there is no total: the page may lie behind the last.
            let Some(counted) = counted else { return Ok((Vec::new(), 0)) };
            return Ok((Vec::new(), counted.count(db).await?));
        };
        let total = u64::try_from(first.try_get::<i64>("", TOTAL)?)?;
        let rows = found.iter().map(|row| E::Model::from_query_result(row, "")).collect::<Result<_, _>>()?;
        Ok((rows, total))
    }
}

/// The column in which each row of a page brings the number of all.
const TOTAL: &str = "_total";

/// How many rows a query has, as an expression within it: one statement is one round trip, and both are of one moment.
fn total_of<E: EntityTrait>(query: &Select<E>) -> Expr {
    let mut all = query.clone().into_query();
    all.clear_order_by();
    let count = Query::select().expr(Expr::col(Asterisk).count()).from_subquery(all, "counted").take();
    Expr::SubQuery(None, Box::new(count.into()))
}
