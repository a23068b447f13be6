-- The steps of a message's life that several scripts take.
--
--   q0..q9               numbers that are queued, by priority
--   back, k:<lane>       those that came back, and those in a lane (see lanes.lua): by priority, then by number
--   last                 those suspected of killing workers: the same, then those in line
--   sched                those scheduled: score is time * 16 + priority
--   w:<owner>            those started by an owner
--   f:<ttl>              those finished, by how long they are kept; x:<ttl> those failed, by when
--   tomb, ftomb          how many entries of a number in lists are void, where it was taken out of the middle: q.., f:..
--   dead, tries, run, cancel, un, odd   of some messages: deaths; attempts; start and progress; why to stop; unique
--                        key; defect
local has = {}
for _, name in ipairs({'dead', 'tries', 'run', 'cancel', 'un', 'tomb'}) do has[name] = false end
if call('EXISTS', T .. ':dead', T .. ':tries', T .. ':run', T .. ':cancel', T .. ':un', T .. ':tomb') > 0 then
  for name in pairs(has) do has[name] = call('EXISTS', T .. ':' .. name) == 1 end
end

local function deaths(n) return has.dead and tonumber(call('HGET', T .. ':dead', n) or 0) or 0 end

-- Counts a void entry of a number in the lists of those in line.
local function bury_entry(n)
  call('HINCRBY', T .. ':tomb', n, 1)
  has.tomb = true
end

-- True where an entry that was taken from a list of waiting ones is void.
local function void(n)
  if not has.tomb then return false end
  local left = tonumber(call('HGET', T .. ':tomb', n) or 0)
  if left == 0 then return false end
  if left == 1 then call('HDEL', T .. ':tomb', n) else call('HINCRBY', T .. ':tomb', n, -1) end
  return true
end

-- Queues a message: at the end of its priority, or before all others where it came back.
local function ready(n, h, back)
  c.q = c.q + 1
  local score = format('%.0f', (9 - h.priority) * LANE_STEP + tonumber(n))
  if deaths(n) >= 2 then
    c.turn = c.turn + 1
    call('ZADD', T .. ':last', back and score or format('%.0f', 100 * LANE_STEP + c.turn), n)
  elseif h.lane then
    lane_push(n, h, back)
  elseif back then
    call('ZADD', T .. ':back', score, n)
  else
    call('RPUSH', T .. ':q' .. h.priority, n)
  end
end

-- Schedules a message. True where it is now the first.
local function schedule(n, h, at)
  c.s = c.s + 1
  call('ZADD', T .. ':sched', format('%.0f', at * 16 + (h.lane and 15 or h.priority)), n)
  return call('ZRANK', T .. ':sched', n) == 0
end

-- Drops what is known of messages only while they live.
local function forget(ns)
  for _, name in ipairs({'dead', 'tries', 'run', 'cancel'}) do
    if has[name] then call('HDEL', T .. ':' .. name, unpack(ns)) end
  end
  if not has.un then return end
  for _, n in ipairs(ns) do
    local key = call('HGET', T .. ':un', n)
    if key then
      call('HDEL', T .. ':un', n)
      if string.match(call('HGET', T .. ':uniq', key) or '', '^%d+') == n then call('HDEL', T .. ':uniq', key) end
    end
  end
end

-- Removes a record, and its id with it.
local function drop(n, rec, h)
  h = h or (rec and head(rec))
  if h and h.id then call('HDEL', T .. ':ids', h.id) end
  call('HDEL', T .. ':m:' .. sub(n, 1, -3), sub(n, -2))
end

-- Keeps a failed message: its record is whole but for the time.
local function keep_failed(n, rec, h)
  forget({n})
  tell(h, n)
  local ttl = h.failure_ttl or 31536000000
  if ttl == 0 then return drop(n, rec, h) end
  ttl = ttl >= FOREVER and 'n' or format('%.0f', ttl)
  put(n, rec .. ENDED)
  call('ZADD', T .. ':x:' .. ttl, end_score(), n)
  call('SADD', T .. ':xs', ttl)
  c.x = c.x + 1
end

-- Fails a message that has no worker to say so.
local function fail(n, rec, h, why)
  local flags = byte(rec, 2)
  local died = deaths(n)
  rec = char(1, flags - flags % 4 + 2) .. sub(rec, 3) .. bytes_field(25, why)
  if died > 0 then rec = rec .. number_field(27, died) end
  keep_failed(n, rec, h)
end

-- Sets a message aside as failed whose record is not ours to change.
local function set_aside(n, why)
  call('HSET', T .. ':odd', n, why)
  call('ZADD', T .. ':x:n', end_score(), n)
  call('SADD', T .. ':xs', 'n')
  c.x = c.x + 1
end

local function defect(rec)
  local version = byte(rec, 1)
  if version == 1 then return 'the message is not readable: damaged, or written by something else' end
  return 'the message is written in format ' .. (version or 'none') .. ', and this program reads 1: run a newer program'
end

-- What a run said of its progress is kept apart while it runs.
local function with_progress(n, rec)
  local run = has.run and call('HGET', T .. ':run', n)
  local progress = run and string.match(run, '^%d* (.+)$')
  return progress and rec .. bytes_field(28, progress) or rec
end

-- Returns a message that a worker had to the queue, or fails it: where it was cancelled meanwhile, or for `why`.
local function give_back(n, rec, worker, why)
  c.w = c.w - 1
  lane_done(n)
  if not rec then return end
  local h = head(rec)
  if not h then return set_aside(n, defect(rec)) end
  rec = with_progress(n, rec)
  local had = bytes_field(22, worker)
  if sub(rec, -#had) ~= had then rec = rec .. had end
  why = has.cancel and call('HGET', T .. ':cancel', n) or why
  if why then return fail(n, rec, h, why) end
  put(n, rec)
  if has.run then call('HDEL', T .. ':run', n) end
  ready(n, h, true)
end

-- Moves what is due to the queue, at most some hundreds at once. True where any was.
local function move_due()
  local due = call('ZRANGEBYSCORE', T .. ':sched', '-inf', format('%.0f', now * 16 + 15), 'WITHSCORES', 'LIMIT', 0, 400)
  if #due == 0 then return false end
  local gone = {}
  for i = 1, #due, 2 do
    local n, priority = due[i], tonumber(due[i + 1]) % 16
    gone[#gone + 1] = n
    c.s = c.s - 1
    local h = {priority = priority}
    if priority > 9 then
      local rec = record(n)
      h = rec and head(rec)
      if rec and not h then set_aside(n, defect(rec)) end
    end
    if h then ready(n, h) end
  end
  call('ZREM', T .. ':sched', unpack(gone))
  return true
end
