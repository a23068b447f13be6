-- ARGV: the key, the field, how much, i(nteger) or f(loat), the least and the most that the field can hold.
local pk, name, id = ARGV[2], ARGV[3], record(ARGV[2])
if redis.call('EXISTS', id) == 0 then return false end
local old = redis.call('HGET', id, name)
redis.call(ARGV[5] == 'i' and 'HINCRBY' or 'HINCRBYFLOAT', id, name, ARGV[4])
local new = redis.call('HGET', id, name)
local least, most = tonumber(ARGV[6]), tonumber(ARGV[7])
local kinds = {}
for _, field in ipairs(indexed) do
  if field[2] == name then
    kinds[#kinds + 1] = field[1]
    if field[1] == 'r' and ARGV[5] == 'i' then
      least, most = math.max(least, -9007199254740992), math.min(most, 9007199254740992)
    end
  end
end
local number, refused = tonumber(new), nil
if not (number >= least and number <= most) then refused = 'RANGE ' .. new end
for _, kind in ipairs(kinds) do
  if kind == 'u' and taken(pk, name, new) then refused = 'TAKEN ' .. name end
end
if refused then
  if old then redis.call('HSET', id, name, old) else redis.call('HDEL', id, name) end
  return redis.error_reply(refused)
end
for _, kind in ipairs(kinds) do
  if old then drop(pk, kind, name, old) end
  put(pk, kind, name, new)
end
remember(pk)
return new
