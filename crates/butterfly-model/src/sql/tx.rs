//! A transaction that is open.

use std::ops::Deref;
use std::sync::Arc;

use sea_orm::entity::prelude::async_trait;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement};

/// A transaction that is open, as [`transaction()`](super::transaction()) gives it to its function. Every query takes it
/// by reference: `.all(&tx)`.
#[derive(Clone, Debug)]
pub struct Tx(Arc<DatabaseTransaction>);

impl Tx {
    pub(super) fn new(inner: DatabaseTransaction) -> Self {
        Self(Arc::new(inner))
    }

    /// The transaction, when nobody else holds it.
    pub(super) fn into_inner(self) -> Option<DatabaseTransaction> {
        Arc::into_inner(self.0)
    }
}

impl Deref for Tx {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.0
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Tx {
    fn get_database_backend(&self) -> DbBackend {
        self.0.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.0.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.0.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.0.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.0.query_all_raw(statement).await
    }
}
