//! Where the queue is: what senders, workers and the one who checks the books open alike.

use std::path::PathBuf;
use std::sync::Arc;

use butterfly::messages::embedded::{EmbeddedEngine, Options};
use butterfly::messages::redis::RedisEngine;
use butterfly::messages::{Engine, EngineError};
use serde::{Deserialize, Serialize};

/// Where the queue is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Place {
    /// In a folder.
    Embedded(PathBuf),
    /// At a URL.
    Redis(String),
}

impl Place {
    pub(crate) async fn open(&self) -> Result<Arc<dyn Engine>, EngineError> {
        match self {
            Self::Embedded(folder) => {
                Ok(Arc::new(EmbeddedEngine::open(folder.join("queue.db"), Options::default())?))
            }
            Self::Redis(url) => {
                let options = url.parse()?;
                Ok(Arc::new(RedisEngine::connect(options).await?))
            }
        }
    }

    /// How a worker is told.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Embedded(folder) => {
                vec![("BUTTERFLY_QUEUE__FILE", folder.join("queue.db").display().to_string())]
            }
            Self::Redis(url) => {
                vec![("BUTTERFLY_QUEUE__ENGINE", "default".into()), ("BUTTERFLY_REDIS__DEFAULT", url.clone())]
            }
        }
    }
}
