//! Ours: within a call, by `ctx.db()` and `ctx.transaction`; and by the actions that a Resource has.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Error, Result};
use butterfly::model::sql::prelude::*;
use butterfly::model::sql::{DEFAULT, Databases};
use butterfly::{Ctx, handler};
use butterfly_core::args::Input;
use butterfly_core::{App, Door, Handler, Registry, call};

use super::{Operation, direct, key};
use crate::todo;

pub(super) struct Ours(Arc<App>);

impl Ours {
    pub(super) async fn open(file: &Path) -> Result<Self> {
        let mut databases = Databases::new();
        let url = format!("sqlite:///{}?synchronous=normal", file.display()).parse().map_err(Error::msg)?;
        databases.add(DEFAULT, url, Duration::from_millis(200)).await?;
        direct::fill(databases.get(DEFAULT).context("no database")?).await?;
        let mut app = App::new(Registry::default());
        app.state.insert(databases);
        Ok(Self(Arc::new(app)))
    }

    /// So many operations within one call: what a call itself takes does not count.
    pub(super) async fn run(&self, operation: Operation, times: usize) -> Result<()> {
        static HANDLER: Handler = many::HANDLER;
        self.ask(&HANDLER, &format!("operation={}&times={times}", operation as u8)).await
    }

    /// So many calls of an action: with binding its arguments and its answer as JSON.
    pub(super) async fn act(&self, operation: Operation, times: usize) -> Result<()> {
        static CREATE: Handler = todo::create::HANDLER;
        static GET: Handler = todo::get::HANDLER;
        static LIST: Handler = todo::list::HANDLER;
        static UPDATE: Handler = todo::update::HANDLER;
        for number in 0..times {
            match operation {
                Operation::Insert => {
                    let due = "2027-01-15T08:00:00Z";
                    self.ask(&CREATE, &format!("title=task+{number}&done=true&due={due}")).await?;
                }
                Operation::Get => self.ask(&GET, &format!("id={}", key(number))).await?,
                Operation::List => self.ask(&LIST, "done=false&sort=-id&page_size=20").await?,
                Operation::Update => {
                    self.ask(&UPDATE, &format!("id={}&title=changed+{number}", key(number))).await?;
                }
                Operation::Transaction => {}
            }
        }
        Ok(())
    }

    async fn ask(&self, handler: &'static Handler, query: &str) -> Result<()> {
        let ctx = Ctx::within(self.0.clone(), Door::Cli);
        let input = Input { query: Some(query), ..Input::default() };
        match call(handler, &ctx, input).await {
            Ok(_) => Ok(()),
            Err(error) => anyhow::bail!("{}", error.chain()),
        }
    }
}

/// Whether a Resource has an action for it.
pub(super) fn has_action(operation: Operation) -> bool {
    operation != Operation::Transaction
}

/// Runs an operation many times.
#[handler]
async fn many(ctx: &Ctx, operation: u8, times: usize) -> butterfly::Result<()> {
    let all = Operation::ALL.map(|(operation, ..)| operation);
    let operation = all.into_iter().find(|known| *known as u8 == operation).unwrap_or(Operation::Get);
    for number in 0..times {
        if operation == Operation::Transaction {
            ctx.transaction(|tx| async move {
                direct::one(&tx, Operation::Get, number).await?;
                Ok(direct::one(&tx, Operation::Update, number).await?)
            })
            .await?;
        } else {
            direct::one(ctx.db()?, operation, number).await?;
        }
    }
    Ok(())
}
