-- Texts that are searched. Of those at a place `at`:
--   at:docs        a text's key, and its words as JSON: [length, word, count, ...]
--   at:word:WORD   the keys of the texts with this word, by how often they have it
--   at:length      the length of all texts together
local function text_drop(at, pk)
  local old = redis.call('HGET', at .. ':docs', pk)
  if not old then return false end
  local words = cjson.decode(old)
  for n = 2, #words, 2 do redis.call('ZREM', at .. ':word:' .. words[n], pk) end
  redis.call('HDEL', at .. ':docs', pk)
  if redis.call('DECRBY', at .. ':length', words[1]) <= 0 then redis.call('DEL', at .. ':length') end
  return true
end

local function text_put(at, pk, json)
  text_drop(at, pk)
  local words = cjson.decode(json)
  for n = 2, #words, 2 do redis.call('ZADD', at .. ':word:' .. words[n], words[n + 1], pk) end
  redis.call('HSET', at .. ':docs', pk, json)
  if words[1] > 0 then redis.call('INCRBY', at .. ':length', words[1]) end
end

-- The texts with a word, each with its score: Okapi BM25 with k1 = 1.2 and b = 0.75.
local function text_find(at, word)
  local found, set = redis.call('ZRANGE', at .. ':word:' .. word, 0, -1, 'WITHSCORES'), {}
  local all, count = redis.call('HLEN', at .. ':docs'), #found / 2
  local mean = tonumber(redis.call('GET', at .. ':length') or 0) / math.max(all, 1)
  local rare = math.log(1 + (all - count + 0.5) / (count + 0.5))
  for n = 1, #found, 2 do
    local often = tonumber(found[n + 1])
    local length = tonumber(redis.call('HGET', at .. ':docs', found[n]):match('^%[(%d+)'))
    set[found[n]] = rare * often * 2.2 / (often + 1.2 * (0.25 + 0.75 * length / math.max(mean, 1)))
  end
  return set
end

-- Combines two sets of keys with scores.
local function text_join(how, left, right)
  local set = {}
  if how == 'or' then
    for pk, score in pairs(left) do set[pk] = score end
    for pk, score in pairs(right) do set[pk] = (set[pk] or 0) + score end
  elseif how == 'and' then
    for pk, score in pairs(left) do if right[pk] then set[pk] = score + right[pk] end end
  else
    for pk, score in pairs(left) do if not right[pk] then set[pk] = score end end
  end
  return set
end

