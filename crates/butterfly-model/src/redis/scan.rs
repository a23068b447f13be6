//! Looking through the keys of all servers that hold any.

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, Value, cmd};

use super::connection::{client, read};
use super::options::Mode;
use super::reply::Reply;
use super::{Redis, RedisError, number, strange, text};

/// Keys looked at in one go.
const PAGE: usize = 1000;

/// A look through all keys that begin with something, page by page. Keys that are there all the while are found, perhaps
/// twice; others may be.
#[derive(Debug)]
pub(crate) struct Scan<'r> {
    redis: &'r Redis,
    pattern: String,
    /// Masters of a cluster that are still to be asked; elsewhere the one connection is.
    nodes: Vec<MultiplexedConnection>,
    cursor: Vec<u8>,
    ended: bool,
}

impl Redis {
    /// A look through the keys that begin with this text.
    ///
    /// # Errors
    ///
    /// [`RedisError::Invalid`] behind a proxy, which cannot do it; [`RedisError::Unavailable`] when a node is not reached.
    pub(crate) async fn scan(&self, start: &str) -> Result<Scan<'_>, RedisError> {
        let nodes = match self.options().mode {
            Mode::Proxy => {
                return Err(RedisError::Invalid(
                    "behind a proxy nothing can look through the keys of Redis".into(),
                ));
            }
            Mode::Cluster => self.masters().await?,
            Mode::Standalone | Mode::Sentinel { .. } => Vec::new(),
        };
        let ended = self.options().mode == Mode::Cluster && nodes.is_empty();
        Ok(Scan { redis: self, pattern: format!("{}*", literal(start)), nodes, cursor: b"0".to_vec(), ended })
    }

    /// A connection to each master of a cluster.
    async fn masters(&self) -> Result<Vec<MultiplexedConnection>, RedisError> {
        let Value::Array(ranges) = self.command(cmd("CLUSTER").arg("SLOTS")).await? else {
            return Ok(Vec::new());
        };
        let mut places = Vec::new();
        for range in ranges {
            let mut range = Reply::new(range)?;
            // The master comes after the first slot and the last; its replicas follow.
            range.number()?;
            range.number()?;
            let mut master = Reply::new(range.value()?)?;
            let (host, port) = (text(master.value()?)?, master.number()?);
            let port = u16::try_from(port).map_err(|_| strange(&Value::Nil))?;
            let place = (host, port);
            if !places.contains(&place) {
                places.push(place);
            }
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.options().connect_timeout))
            .set_response_timeout(Some(self.options().answer_timeout));
        let mut nodes = Vec::new();
        for place in places {
            nodes.push(
                client(self.options(), &place)?.get_multiplexed_async_connection_with_config(&config).await?,
            );
        }
        Ok(nodes)
    }
}

impl Scan<'_> {
    /// The next keys, perhaps none; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<String>>, RedisError> {
        if self.ended {
            return Ok(None);
        }
        let mut command = cmd("SCAN");
        command.arg(&self.cursor).arg("MATCH").arg(&self.pattern).arg("COUNT").arg(PAGE);
        let mut reply = Reply::new(self.send(&command).await?)?;
        self.cursor = reply.bytes()?;
        if self.cursor == b"0" {
            self.nodes.pop();
            self.ended = self.nodes.is_empty();
        }
        read(reply.value()?).map(Some)
    }

    async fn send(&mut self, command: &Cmd) -> Result<Value, RedisError> {
        match self.nodes.last_mut() {
            Some(node) => Ok(command.query_async(node).await?),
            None => self.redis.command(command).await,
        }
    }
}

/// A text that stands for itself alone in a pattern.
fn literal(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        if matches!(c, '*' | '?' | '[' | ']' | '\\' | '^') {
            out.push('\\');
        }
        out.push(c);
        out
    })
}

/// The number of an answer that says whether something was done.
pub(crate) fn done(value: &Value) -> Result<bool, RedisError> {
    Ok(number(value)? > 0)
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_in_a_prefix_is_a_wildcard() {
        assert_eq!(super::literal(r"a*[b]\?:{"), r"a\*\[b\]\\\?:{");
    }
}
