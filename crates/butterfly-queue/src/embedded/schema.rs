//! The tables of the queue, as an operator finds them.
//!
//! Where a message stands is said once, by where it is: a line of `ready` is queued, one of `due` is scheduled, one in
//! a `lease` is started, and `message.end` is set when it has ended. So a whole life writes its row twice, at the
//! enqueue and at the end, and a claim writes none. The view `messages` puts it together for people.

use butterfly_store::Schema;

/// The queue's part of the store.
pub(super) const SCHEMA: Schema = Schema { name: "queue", steps: &[VERSION_1], own: OWN };

const VERSION_1: &str = "
-- One line: the next number of a message, of a place in a line, of a first beat.
CREATE TABLE queue (one INTEGER PRIMARY KEY CHECK (one = 1), next INTEGER NOT NULL);
INSERT INTO queue VALUES (1, CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER));

-- Each topic, and how many of its messages are in which state.
CREATE TABLE topic (
  id INTEGER PRIMARY KEY,
  path TEXT NOT NULL UNIQUE,
  used INTEGER NOT NULL DEFAULT 0,        -- 1 once it had a message
  paused INTEGER NOT NULL DEFAULT 0,
  scheduled INTEGER NOT NULL DEFAULT 0,
  queued INTEGER NOT NULL DEFAULT 0,
  started INTEGER NOT NULL DEFAULT 0,
  finished INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  suspects INTEGER NOT NULL DEFAULT 0,    -- of the queued ones, those with two deaths
  laned INTEGER NOT NULL DEFAULT 0,       -- of the queued ones, those that stand in a lane of their key
  lanes INTEGER NOT NULL DEFAULT 0,       -- lines of the table lane
  uniques INTEGER NOT NULL DEFAULT 0,     -- unique keys that are held by a message while it is alive
  cancels INTEGER NOT NULL DEFAULT 0,     -- running messages that somebody cancelled
  tat_us INTEGER NOT NULL DEFAULT 0,      -- when the next start would be due, were all spread evenly
  last_end_us INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE message (
  seq INTEGER PRIMARY KEY,
  topic INTEGER NOT NULL,
  id TEXT,                                -- the sender's own id
  priority INTEGER NOT NULL,
  key TEXT,
  args TEXT NOT NULL,
  created INTEGER NOT NULL,               -- all times are Unix milliseconds, but for those named _us
  reqid TEXT NOT NULL,
  options TEXT,                           -- JSON: what else the sender says, where it is not the usual
  place INTEGER,                          -- in its line, where that is not its number
  run_at INTEGER,
  attempts INTEGER NOT NULL DEFAULT 0,
  deaths INTEGER NOT NULL DEFAULT 0,
  ran INTEGER,                            -- the attempts before the last run, when its end counted
  worker INTEGER,                         -- its last run's: owner.id
  started INTEGER,
  cost_us INTEGER,
  end INTEGER,                            -- 1 finished, 2 failed
  ended_us INTEGER,
  expires INTEGER,                        -- when it fails, while it waits for its first run; when it is dropped, ended
  stat TEXT,
  result TEXT,
  error TEXT,
  progress TEXT,
  room BLOB                               -- keeps place in the page for what its end adds
);
CREATE INDEX message_ended ON message (topic, end, ended_us) WHERE end IS NOT NULL;
CREATE INDEX message_expires ON message (topic, expires) WHERE expires IS NOT NULL;

-- The queued ones, next first within a lane: 0 is the plain line, -1 is for those with two deaths, others are lane.id.
-- rank: 9 - priority for those that came back, 19 - priority for those in line.
CREATE TABLE ready (
  topic INTEGER, lane INTEGER, rank INTEGER, place INTEGER, seq INTEGER,
  PRIMARY KEY (topic, lane, rank, place, seq)
) WITHOUT ROWID;

-- The scheduled ones.
CREATE TABLE due (topic INTEGER, run_at INTEGER, seq INTEGER, PRIMARY KEY (topic, run_at, seq)) WITHOUT ROWID;

-- One life of one worker process.
CREATE TABLE owner (
  id INTEGER PRIMARY KEY,
  instance TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  worker TEXT NOT NULL,
  process TEXT NOT NULL,                  -- its name in the folder of processes beside this file
  UNIQUE (instance, epoch)
);

-- Who holds which messages of a topic: held is a JSON list of seq.
CREATE TABLE lease (
  id INTEGER PRIMARY KEY,
  topic INTEGER NOT NULL,
  owner INTEGER NOT NULL,
  beat INTEGER NOT NULL,
  seen INTEGER NOT NULL,
  held TEXT NOT NULL,
  UNIQUE (topic, owner)
);

-- Running messages that somebody cancelled.
CREATE TABLE cancelled (seq INTEGER PRIMARY KEY, error TEXT NOT NULL);

-- The senders' own ids.
CREATE TABLE given (topic INTEGER, id TEXT, seq INTEGER NOT NULL, PRIMARY KEY (topic, id)) WITHOUT ROWID;

-- Unique keys that are taken: until a time, or (NULL) while their message is alive.
CREATE TABLE uniq (
  topic INTEGER, key TEXT, seq INTEGER NOT NULL, id TEXT, until INTEGER,
  PRIMARY KEY (topic, key)
) WITHOUT ROWID;
CREATE INDEX uniq_seq ON uniq (seq) WHERE until IS NULL;
CREATE INDEX uniq_until ON uniq (topic, until) WHERE until IS NOT NULL;

-- The keys of topics that are limited by key. key is empty for messages without one, else '=' and the key.
-- rank and place are those of its first message, while that may start; resume is when a rate lets it start.
CREATE TABLE lane (
  id INTEGER PRIMARY KEY,
  topic INTEGER NOT NULL,
  key TEXT NOT NULL,
  queued INTEGER NOT NULL DEFAULT 0,
  running INTEGER NOT NULL DEFAULT 0,
  tat_us INTEGER NOT NULL DEFAULT 0,
  last INTEGER NOT NULL DEFAULT 0,        -- the number of its last turn
  rank INTEGER,
  place INTEGER,
  resume INTEGER,
  seen INTEGER NOT NULL DEFAULT 0,
  UNIQUE (topic, key)
);
CREATE INDEX lane_next ON lane (topic, rank, last, place) WHERE rank IS NOT NULL;
CREATE INDEX lane_resume ON lane (topic, resume) WHERE resume IS NOT NULL;
CREATE INDEX lane_idle ON lane (topic, seen) WHERE queued = 0 AND running = 0;

CREATE TABLE worker (name TEXT PRIMARY KEY, info TEXT NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;

-- For people.
CREATE VIEW messages AS
SELECT
  topic.path AS topic,
  message.seq,
  coalesce(message.id, printf('ours, number %d', message.seq)) AS id,
  CASE message.end WHEN 1 THEN 'finished' WHEN 2 THEN 'failed' ELSE
    CASE
      WHEN EXISTS (SELECT 1 FROM lease, json_each(lease.held)
                   WHERE lease.topic = message.topic AND json_each.value = message.seq) THEN 'started'
      WHEN EXISTS (SELECT 1 FROM due WHERE due.topic = message.topic AND due.run_at = message.run_at
                   AND due.seq = message.seq) THEN 'scheduled'
      ELSE 'queued'
    END
  END AS state,
  message.priority, message.key, message.args,
  strftime('%Y-%m-%d %H:%M:%f', message.created / 1000.0, 'unixepoch') AS created,
  strftime('%Y-%m-%d %H:%M:%f', message.run_at / 1000.0, 'unixepoch') AS run_at,
  strftime('%Y-%m-%d %H:%M:%f', message.started / 1000.0, 'unixepoch') AS started,
  strftime('%Y-%m-%d %H:%M:%f', message.ended_us / 1000000.0, 'unixepoch') AS ended,
  message.cost_us, message.attempts, message.deaths, owner.worker,
  message.stat, message.result, message.error, message.progress, message.reqid, message.options
FROM message
JOIN topic ON topic.id = message.topic
LEFT JOIN owner ON owner.id = message.worker;
";

/// The batches that this process has enqueued lately. In the transaction, for what is rolled back must be forgotten.
const OWN: &str = "CREATE TEMP TABLE IF NOT EXISTS batch (batch INTEGER PRIMARY KEY)";
