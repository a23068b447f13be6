-- The workers that are here. KEYS[1]: their hash. ARGV: put, name, milliseconds, text; or remove, name; or all.
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
if ARGV[1] == 'put' then
  return redis.call('HSET', KEYS[1], ARGV[2], string.format('%.0f %s', now + tonumber(ARGV[3]), ARGV[4]))
elseif ARGV[1] == 'remove' then
  return redis.call('HDEL', KEYS[1], ARGV[2])
end
local reply, all = {}, redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local till, text = string.match(all[i + 1], '^(%d+) (.*)$')
  if till and tonumber(till) > now then
    reply[#reply + 1] = text
  else
    redis.call('HDEL', KEYS[1], all[i])
  end
end
return reply
