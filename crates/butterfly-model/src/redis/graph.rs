//! A graph of triples: subject, predicate, object.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use redis::{Cmd, Value, cmd};

use super::{Redis, RedisError, Reply, Script, strange};

static SEARCH: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("graph.lua")));

/// Each triple is kept in three orders, so that whatever part of it is known is the beginning of one.
const ORDERS: [(&str, [usize; 3]); 3] = [("spo", [0, 1, 2]), ("pos", [1, 2, 0]), ("osp", [2, 0, 1])];
/// More conditions would have a script run for too long.
const MOST: usize = 32;

/// A graph of triples: who, how, whom. All of them lie in one sorted set, in three orders, so that each pattern is one
/// range of it.
///
/// # Example
///
/// ```no_run
/// # async fn doc(redis: butterfly_model::redis::Redis) -> Result<(), butterfly_model::redis::RedisError> {
/// use butterfly_model::redis::{Graph, Term};
///
/// let graph = Graph::new(&redis, "people");
/// graph.add([("ann", "knows", "bob"), ("bob", "knows", "cem"), ("cem", "lives in", "Ulm")]).await?;
/// assert_eq!(graph.find(None, Some("knows"), None, 10).await?.len(), 2);
///
/// // Whom do those know whom Ann knows, and where do they live?
/// let (x, y, z) = (Term::var("x"), Term::var("y"), Term::var("city"));
/// let found = graph
///     .search(&[(Term::is("ann"), Term::is("knows"), x), (x, Term::is("knows"), y), (y, Term::is("lives in"), z)], 10)
///     .await?;
/// assert_eq!(found[0]["city"], "Ulm");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Graph {
    redis: Redis,
    key: String,
}

/// A triple of a graph.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Triple {
    /// Who.
    pub subject: String,
    /// How.
    pub predicate: String,
    /// Whom.
    pub object: String,
}

/// A part of a condition: known, or a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term<'a> {
    /// It is this text.
    Is(&'a str),
    /// It is found, the same one wherever this name stands.
    Var(&'a str),
}

impl<'a> Term<'a> {
    /// It is this text.
    #[must_use]
    pub fn is(text: &'a str) -> Self {
        Self::Is(text)
    }

    /// It is found, the same one wherever this name stands.
    #[must_use]
    pub fn var(name: &'a str) -> Self {
        Self::Var(name)
    }
}

impl Graph {
    /// The graph of a name.
    #[must_use]
    pub fn new(redis: &Redis, name: &str) -> Self {
        Self { redis: redis.clone(), key: redis.key("graph", name) }
    }

    /// Adds triples. Says how many were not yet there.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn add<'a>(
        &self,
        triples: impl IntoIterator<Item = (&'a str, &'a str, &'a str)>,
    ) -> Result<u64, RedisError> {
        let mut command = cmd("ZADD");
        command.arg(&self.key);
        let mut empty = true;
        for (subject, predicate, object) in triples {
            for member in members([subject, predicate, object]) {
                command.arg(0).arg(member);
            }
            empty = false;
        }
        if empty { Ok(0) } else { Ok(self.redis.query::<u64>(&command).await? / 3) }
    }

    /// Removes a triple. Says whether it was there.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn remove(&self, subject: &str, predicate: &str, object: &str) -> Result<bool, RedisError> {
        let members: Vec<String> = members([subject, predicate, object]).collect();
        Ok(self.redis.query::<u64>(cmd("ZREM").arg(&self.key).arg(members)).await? == 3)
    }

    /// Whether a triple is there.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn contains(&self, subject: &str, predicate: &str, object: &str) -> Result<bool, RedisError> {
        let found = self.find(Some(subject), Some(predicate), Some(object), 1).await?;
        Ok(!found.is_empty())
    }

    /// How many triples there are.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn len(&self) -> Result<u64, RedisError> {
        Ok(self.redis.query::<u64>(cmd("ZCARD").arg(&self.key)).await? / 3)
    }

    /// Whether there is none.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn is_empty(&self) -> Result<bool, RedisError> {
        Ok(self.len().await? == 0)
    }

    /// Deletes it all. Says whether there was anything.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn delete(&self) -> Result<bool, RedisError> {
        self.redis.query(cmd("DEL").arg(&self.key)).await
    }

    /// The triples that have the given parts: at most so many.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn find(
        &self,
        subject: Option<&str>,
        predicate: Option<&str>,
        object: Option<&str>,
        limit: u64,
    ) -> Result<Vec<Triple>, RedisError> {
        let mut open = 0;
        let written = [subject, predicate, object].map(|part| match part {
            Some(text) => format!("={}", guarded(text)),
            None => {
                open += 1;
                format!("v{open}")
            }
        });
        let given = [subject, predicate, object];
        let solutions = self.solve(limit, open, &written).await?;
        let whole = |solution: Vec<String>| {
            let mut found = solution.into_iter();
            let [subject, predicate, object] =
                given.map(|part| part.map(str::to_owned).or_else(|| found.next()).unwrap_or_default());
            Triple { subject, predicate, object }
        };
        Ok(solutions.into_iter().map(whole).collect())
    }

    /// The values of the variables with which all conditions are triples of the graph: at most so many solutions, each
    /// with the variables' names. It is one script, which looks at what each condition leaves open, beginning with the
    /// one of which most is known.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`]; [`RedisError::Invalid`] for no condition, or more than 32.
    pub async fn search(
        &self,
        conditions: &[(Term<'_>, Term<'_>, Term<'_>)],
        limit: u64,
    ) -> Result<Vec<BTreeMap<String, String>>, RedisError> {
        if conditions.is_empty() || conditions.len() > MOST {
            return Err(RedisError::Invalid(format!(
                "a search in a graph has 1 to {MOST} conditions, not {}",
                conditions.len()
            )));
        }
        let mut names: Vec<&str> = Vec::new();
        let mut written = Vec::with_capacity(conditions.len() * 3);
        for term in conditions.iter().flat_map(|(s, p, o)| [s, p, o]) {
            written.push(match term {
                Term::Is(text) => format!("={}", guarded(text)),
                Term::Var(name) => {
                    let at = names.iter().position(|known| known == name).unwrap_or_else(|| {
                        names.push(name);
                        names.len() - 1
                    });
                    format!("v{}", at + 1)
                }
            });
        }
        let solutions = self.solve(limit, names.len(), &written).await?;
        let named =
            |solution: Vec<String>| names.iter().map(|name| (*name).to_owned()).zip(solution).collect();
        Ok(solutions.into_iter().map(named).collect())
    }

    async fn solve(
        &self,
        limit: u64,
        variables: usize,
        parts: &[String],
    ) -> Result<Vec<Vec<String>>, RedisError> {
        let fill = |command: &mut Cmd| {
            command.arg(limit.min(1 << 52)).arg(variables).arg(parts);
        };
        let Value::Array(solutions) = self.redis.run(&SEARCH, &self.key, fill).await? else {
            return Err(strange(&Value::Nil));
        };
        solutions
            .into_iter()
            .map(|solution| {
                let mut reply = Reply::new(solution)?;
                let mut values = Vec::with_capacity(reply.len());
                while !reply.is_empty() {
                    values.push(unguarded(&reply.text()?));
                }
                Ok(values)
            })
            .collect()
    }
}

fn members(parts: [&str; 3]) -> impl Iterator<Item = String> {
    let parts = parts.map(guarded);
    ORDERS.into_iter().map(move |(name, order)| {
        let [a, b, c] = order.map(|at| &parts[at]);
        format!("{name}\0{a}\0{b}\0{c}")
    })
}

/// A text without a zero byte, which stands between the parts.
fn guarded(text: &str) -> String {
    text.replace('\u{1}', "\u{1}\u{2}").replace('\0', "\u{1}\u{1}")
}

fn unguarded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        out.push(match letter {
            '\u{1}' if letters.next() == Some('\u{1}') => '\0',
            letter => letter,
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_may_hold_anything() {
        for text in ["", "a", "\0", "\u{1}", "\u{1}\0\u{1}\u{1}\u{2}\0", "中\n{}"] {
            let guarded = guarded(text);
            assert!(!guarded.contains('\0'));
            assert_eq!(unguarded(&guarded), text);
        }
    }
}
