-- What every script begins with: the topic's books, and how a record is looked at. KEYS[1] is the books' key, such as
-- bf:{/demo/hello}; every other key of the topic begins with it, so that all lie in one slot.
--
-- Messages have numbers (texts of 6 digits and more); a number's last two digits are its field in the hash of the others.
local T = KEYS[1]
local call = redis.call
local byte, sub, char, floor, format = string.byte, string.sub, string.char, math.floor, string.format

local clock = call('TIME')
local now_us = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local now = floor(now_us / 1000)

-- The books: n the last number, q s w f x how many are queued, scheduled, started, finished and failed, p paused,
-- i that somebody came and found nothing, t the theoretical arrival time of the rate, kq and kw those queued and
-- started in lanes, turn the lanes' last turn.
local NAMES = {'n', 'q', 's', 'w', 'f', 'x', 'p', 'i', 't', 'kq', 'kw', 'turn'}
local kept = call('HMGET', T, 'v', 'base', 'n', 'q', 's', 'w', 'f', 'x', 'p', 'i', 't', 'kq', 'kw', 'turn')
if kept[1] ~= '1' then
  if kept[1] then
    return redis.error_reply('FOREIGN the topic is kept in format ' .. kept[1] .. ', and this program knows 1')
  elseif call('EXISTS', T) == 1 then
    return redis.error_reply('FOREIGN the key ' .. T .. ' is no topic of this queue')
  end
end
local fresh = not kept[1]
-- Numbers count from 100000; base + number is the message's number for the world, which begins at this microsecond.
local base = kept[2] or format('%.0f', now_us - 100000)
local c = {}
for i, name in ipairs(NAMES) do
  c[name] = tonumber(kept[i + 2] or 0)
end
-- To a new topic somebody may have come before its first message.
if fresh then c.n, c.i = 99999, 1 end

local function save()
  local args = {}
  if fresh then args = {'v', '1', 'base', base} end
  for i, name in ipairs(NAMES) do
    local value = format('%.0f', c[name])
    if value ~= (kept[i + 2] or '0') then
      args[#args + 1] = name
      args[#args + 1] = value
    end
  end
  if #args > 0 then call('HSET', T, unpack(args)) end
end

local at_brace = string.find(T, ':{', 1, true)
local PREFIX, PATH = sub(T, 1, at_brace), sub(T, at_brace + 2, -2)

local function world(n)
  return format('%.0f', tonumber(base) + tonumber(n))
end

local function six(text, at)
  local a, b, d, e, f, g = byte(text, at, at + 5)
  return g and ((((a * 256 + b) * 256 + d) * 256 + e) * 256 + f) * 256 + g
end

local function in_six(number)
  local out = ''
  for _ = 1, 6 do
    out = char(number % 256) .. out
    number = floor(number / 256)
  end
  return out
end

local function varint(number)
  local out = ''
  while number >= 128 do
    out = out .. char(number % 128 + 128)
    number = floor(number / 128)
  end
  return out .. char(number)
end

local FOREVER = 281474976710655
local ENDED = char(118) .. in_six(now)
-- Orders what ends in the same moment.
local ended_us = now_us - 1
local function end_score()
  ended_us = ended_us + 1
  return format('%.0f', ended_us)
end

local function number_field(field, number) return char(field * 4) .. varint(number) end
local function bytes_field(field, text) return char(field * 4 + 1) .. varint(#text) .. text end

-- A record's first part; nil where it is none of ours.
local function head(rec)
  if byte(rec, 1) ~= 1 or #rec < 9 then return nil end
  local flags = byte(rec, 2)
  local h = {phase = flags % 4, priority = byte(rec, 3), created = six(rec, 4)}
  local at = 10
  local function part(bit)
    if flags % (bit * 2) < bit then return nil end
    local len = byte(rec, at) or 0
    at = at + 1 + len
    return sub(rec, at - len, at - 1)
  end
  local function time(bit)
    if flags % (bit * 2) < bit then return nil end
    at = at + 6
    return six(rec, at - 6) or FOREVER
  end
  h.id, h.lane, h.notify = part(4), part(8), part(16)
  h.deadline_at = at
  h.deadline, h.failure_ttl = time(32), time(64)
  if at > #rec + 1 or h.priority > 9 then return nil end
  return h
end

-- The records of some numbers, in their order: one call a hash.
local function records(ns)
  local out, count, i = {}, #ns, 1
  while i <= count do
    local bucket, fields, j = sub(ns[i], 1, -3), {}, i
    while j <= count and sub(ns[j], 1, -3) == bucket do
      fields[j - i + 1] = sub(ns[j], -2)
      j = j + 1
    end
    local got = call('HMGET', T .. ':m:' .. bucket, unpack(fields))
    for k = 1, j - i do out[i + k - 1] = got[k] end
    i = j
  end
  return out
end

local function record(n) return call('HGET', T .. ':m:' .. sub(n, 1, -3), sub(n, -2)) end
local function put(n, rec) call('HSET', T .. ':m:' .. sub(n, 1, -3), sub(n, -2), rec) end

local function put_all(ns, recs)
  local count, i = #ns, 1
  while i <= count do
    local bucket, args, j = sub(ns[i], 1, -3), {}, i
    while j <= count and sub(ns[j], 1, -3) == bucket do
      args[(j - i) * 2 + 1] = sub(ns[j], -2)
      args[(j - i) * 2 + 2] = recs[j]
      j = j + 1
    end
    call('HSET', T .. ':m:' .. bucket, unpack(args))
    i = j
  end
end

-- Says on the wire that there is something to claim, to those who came and found nothing.
local function wake()
  if c.i == 1 then
    c.i = 0
    call('PUBLISH', PREFIX .. 'wake', 't' .. PATH)
  end
end

local function tell(h, n)
  if h.notify then
    call('PUBLISH', PREFIX .. 'inbox:' .. h.notify, h.id and '@' .. h.id or world(n) .. ' ' .. PATH)
  end
end
