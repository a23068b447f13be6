-- ARGV: the key, its number, the time to live in ms or nothing, s(ave), c(reate) or u(pdate), then names and values: +V,
-- or - where there is none; before a text its words, as ~.
local pk, mode, id = ARGV[2], ARGV[5], record(ARGV[2])
local there = redis.call('EXISTS', id) == 1
if (mode == 'c' and there) or (mode == 'u' and not there) then return 0 end
sweep()
local new, sets, gone, words, json = {}, {}, {}, {}, nil
for n = 6, #ARGV, 2 do
  local name, value = ARGV[n], ARGV[n + 1]
  if name == '~' then
    json = value
  elseif value:sub(1, 1) == '+' then
    words[name], json = json, nil
    new[name] = value:sub(2)
    sets[#sets + 1] = name
    sets[#sets + 1] = new[name]
  else
    new[name] = false
    gone[#gone + 1] = name
  end
end
for _, field in ipairs(indexed) do
  local value = new[field[2]]
  if field[1] == 'u' and value and taken(pk, field[2], value) then
    return redis.error_reply('TAKEN ' .. field[2])
  end
end
for _, entry in ipairs(held(pk)) do
  local value = new[entry[2]]
  if value ~= nil and value ~= entry[3] then drop(pk, entry[1], entry[2], entry[3]) end
end
for _, field in ipairs(indexed) do
  if field[1] == 't' then
    if words[field[2]] then text_put(base .. ':text:' .. field[2], pk, words[field[2]]) end
  elseif new[field[2]] then
    put(pk, field[1], field[2], new[field[2]])
  end
end
if #sets > 0 then redis.call('HSET', id, unpack(sets)) end
if #gone > 0 then redis.call('HDEL', id, unpack(gone)) end
if mode ~= 'u' then
  redis.call('ZADD', base .. ':all', ARGV[3], pk)
  if ARGV[4] ~= '' then
    redis.call('PEXPIRE', id, ARGV[4])
    redis.call('ZADD', base .. ':expires', now_ms() + ARGV[4], pk)
  elseif redis.call('PERSIST', id) == 1 then
    redis.call('ZREM', base .. ':expires', pk)
    redis.call('HDEL', base .. ':memo', pk)
  end
end
remember(pk)
return 1
