-- KEYS[1]: what all keys of the model begin with; its hash tag is the model, so all of them have one slot.
-- ARGV[1]: the indexed fields, each as the letter of its index and its name.
--   :id:KEY        the record, a hash
--   :all           the records' keys by number and text
--   :is:FIELD:=V   the keys of the records whose field is V; a long V is there as #hash
--   :by:FIELD      the keys of the records by the field's number
--   :text:FIELD:   what is searched of the field's texts; its words are known there alone
--   :expires       the keys of those that expire, by when
--   :memo          what the indexes hold of those: the record itself is gone when they are to be cleaned
local base = KEYS[1]
local indexed, index_names = {}, {}
for kind, name in ARGV[1]:gmatch('(%a)(%S+)') do
  indexed[#indexed + 1] = {kind, name}
  index_names[#indexed] = name
end

local function record(pk) return base .. ':id:' .. pk end

local function index(kind, name, value)
  if kind == 'r' then return base .. ':by:' .. name end
  if #value > 100 then return base .. ':is:' .. name .. ':#' .. redis.sha1hex(value) end
  return base .. ':is:' .. name .. ':=' .. value
end

local function drop(pk, kind, name, value)
  if kind == 't' then return text_drop(base .. ':text:' .. name, pk) end
  redis.call(kind == 'r' and 'ZREM' or 'SREM', index(kind, name, value), pk)
end

local function put(pk, kind, name, value)
  if kind == 'r' then
    redis.call('ZADD', index(kind, name, value), value, pk)
  else
    redis.call('SADD', index(kind, name, value), pk)
  end
end

-- Whether another record has this value of a unique field. One that has expired, or whose value is known by its hash alone,
-- is looked at itself.
local function taken(pk, name, value)
  for _, other in ipairs(redis.call('SMEMBERS', index('u', name, value))) do
    if other ~= pk and redis.call('HGET', record(other), name) == value then return true end
  end
  return false
end

-- What the indexes hold of a record: kind, name and value each.
local function held(pk)
  local id, out = record(pk), {}
  if redis.call('EXISTS', id) == 0 then
    local memo = redis.call('HGET', base .. ':memo', pk)
    return memo and cmsgpack.unpack(memo) or out
  end
  if #indexed == 0 then return out end
  local values = redis.call('HMGET', id, unpack(index_names))
  for n, field in ipairs(indexed) do
    -- The words of a text are known to its index alone.
    local value = field[1] == 't' and '' or values[n]
    if value then out[#out + 1] = {field[1], field[2], value} end
  end
  return out
end

local function remember(pk)
  if redis.call('PTTL', record(pk)) >= 0 then
    redis.call('HSET', base .. ':memo', pk, cmsgpack.pack(held(pk)))
  end
end

local function forget(pk)
  for _, entry in ipairs(held(pk)) do drop(pk, entry[1], entry[2], entry[3]) end
  local there = redis.call('DEL', record(pk))
  redis.call('ZREM', base .. ':all', pk)
  redis.call('ZREM', base .. ':expires', pk)
  redis.call('HDEL', base .. ':memo', pk)
  return there
end

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Cleans the indexes of records that have expired. Says whether none is left.
local function sweep()
  if redis.call('EXISTS', base .. ':expires') == 0 then return true end
  local gone = redis.call('ZRANGEBYSCORE', base .. ':expires', '-inf', now_ms(), 'LIMIT', 0, 1000)
  for _, pk in ipairs(gone) do
    if redis.call('EXISTS', record(pk)) == 0 then forget(pk) end
  end
  return #gone < 1000
end

