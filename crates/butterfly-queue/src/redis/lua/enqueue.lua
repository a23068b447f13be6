-- Takes in messages. ARGV: client, batch, depth or '', then for each message its record and how it is to wait:
-- '' or run_at|hold|second|key, where hold is a (while it lives) or milliseconds, and second d or r.
--
-- Gives base and lines: +n*k for k messages taken in, of which n is the first; =n or @id for
-- one that is there already; !d for one that finds the topic full.
-- A repeated batch is answered as the first time: the last thousand of each client are remembered.
local number, part = string.match(ARGV[2], '^(%d+)(.*)$')
local log, slot = T .. ':b:' .. ARGV[1], tonumber(number) % 1024 .. part
local said = call('HGET', log, slot)
if said and sub(said, 1, #ARGV[2] + 1) == ARGV[2] .. ' ' then
  return {base, sub(said, #ARGV[2] + 2)}
end

local depth = tonumber(ARGV[3])
local answer, stir = {}, false
local ns, recs, lists = {}, {}, {}

local function named(n, h)
  h = h or head(record(n) or '')
  return h and h.id and '@' .. h.id or '=' .. n
end

-- What is written of messages so far: before anything that reads it.
local function flush()
  if #ns == 0 then return end
  put_all(ns, recs)
  ns, recs = {}, {}
end

-- The message that has this unique key, where there is one.
local function holder(key)
  local held = call('HGET', T .. ':uniq', key)
  if not held then return nil end
  local n, till, name = string.match(held, '^(%d+) (%d+) (.*)$')
  if tonumber(till) > 0 and tonumber(till) <= now then return nil end
  return n, name
end

local function hold(n, key, kind, name)
  local till = kind == 'a' and 0 or now + tonumber(kind)
  call('HSET', T .. ':uniq', key, format('%s %.0f %s', n, till, name))
  if till > 0 then
    call('ZADD', T .. ':ue', format('%.0f', till), key)
  else
    call('HSET', T .. ':un', n, key)
    has.un = true
  end
end

-- Keeps messages of a priority in the order of the batch.
local function append(n, priority)
  c.q = c.q + 1
  local into = lists[priority]
  if not into then
    into = {}
    lists[priority] = into
  end
  into[#into + 1] = n
end

local function wait(n, h, run_at)
  if run_at and run_at > now then
    if schedule(n, h, run_at) then stir = true end
  elseif h.lane then
    ready(n, h)
    stir = true
  else
    append(n, h.priority)
  end
  if h.deadline then call('ZADD', T .. ':ttl', format('%.0f', h.deadline), n) end
end

-- While the first message under a key is scheduled, the second takes its place, under the first one's id.
local function replace(n, rec, h, run_at)
  local old = call('ZSCORE', T .. ':sched', n) and head(record(n))
  if not old then return end
  local flags = byte(rec, 2)
  local id = old.id and char(#old.id) .. old.id or ''
  local rest = sub(rec, 10 + (h.id and #h.id + 1 or 0))
  local tries = has.tries and call('HGET', T .. ':tries', n)
  if tries then rest = rest .. number_field(26, tonumber(tries)) end
  flags = flags - (h.id and 4 or 0) + (old.id and 4 or 0)
  put(n, char(1, flags) .. sub(rec, 3, 9) .. id .. rest)
  call('ZREM', T .. ':sched', n)
  c.s = c.s - 1
  wait(n, h, run_at)
end

local function special(rec, h, how)
  local run_at, kind, second, key = string.match(how, '^(%d*)|(%w*)|(%a?)|(.*)$')
  run_at = tonumber(run_at or '')
  if h.id then
    local there = call('HGET', T .. ':ids', h.id)
    if there then return '@' .. h.id end
  end
  if kind and kind ~= '' then
    flush()
    local first, name = holder(key)
    if first then
      if second == 'r' then replace(first, rec, h, run_at) end
      return name
    end
  end
  if depth and c.q + c.s >= depth then return format('!%.0f', c.q + c.s) end
  c.n = c.n + 1
  local n = format('%.0f', c.n)
  ns[#ns + 1], recs[#recs + 1] = n, rec
  if h.id then call('HSET', T .. ':ids', h.id, n) end
  if kind and kind ~= '' then hold(n, key, kind, named(n, h)) end
  wait(n, h, run_at)
  return '+' .. n .. '*1'
end

local first, run = nil, 0
local function end_run()
  if run > 0 then answer[#answer + 1] = '+' .. first .. '*' .. run end
  run = 0
end

for i = 4, #ARGV, 2 do
  local rec, how = ARGV[i], ARGV[i + 1]
  local flags = byte(rec, 2)
  if how ~= '' or (flags ~= 0 and flags ~= 16 and flags ~= 64) then
    end_run()
    answer[#answer + 1] = special(rec, head(rec), how)
  elseif depth and c.q + c.s >= depth then
    end_run()
    answer[#answer + 1] = format('!%.0f', c.q + c.s)
  else
    c.n = c.n + 1
    local n = format('%.0f', c.n)
    if run == 0 then first = n end
    run = run + 1
    ns[#ns + 1], recs[#recs + 1] = n, rec
    append(n, byte(rec, 3))
  end
end
end_run()
flush()
for priority, into in pairs(lists) do
  call('RPUSH', T .. ':q' .. priority, unpack(into))
  stir = true
end
if stir then wake() end
local lines = table.concat(answer, '\n')
call('HSET', log, slot, ARGV[2] .. ' ' .. lines)
call('PEXPIRE', log, 3600000)
save()
return {base, lines}
