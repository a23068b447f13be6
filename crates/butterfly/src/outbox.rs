//! Messages sent within transactions of the program's databases.

use butterfly_core::App;
use butterfly_model::sql::Databases;
use butterfly_queue::outbox::Home;
use butterfly_queue::{Outbox, Queue};

use crate::config::{Config, QueueEngine};

/// The outbox of the program's queue.
pub(crate) fn open(queue: &Queue, databases: &Databases, config: &Config) -> Outbox {
    let home = match &config.queue.engine {
        QueueEngine::Embedded => Home::file(config.queue_file()),
        QueueEngine::Redis(name) => Home::shared(format!("redis.{name}")),
    };
    Outbox::open(queue, databases.clone(), home)
}

/// Hands over what a call from the command line has committed: no relay runs there.
pub(crate) async fn hand_over(app: &App) {
    let (Some(outbox), Some(queue)) = (app.state.get::<Outbox>(), app.state.get::<Queue>()) else { return };
    if outbox.is_used()
        && let Err(error) = outbox.hand_over(queue).await
    {
        tracing::warn!(
            target: "butterfly::queue",
            "what the call sent within a transaction stays in the outbox for the next `serve`: {}", error.chain()
        );
    }
}
