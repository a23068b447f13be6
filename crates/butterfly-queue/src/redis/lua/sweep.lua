-- Drops what is kept past its time. Gives how many messages it dropped or failed.
local swept, looked = 0, 0

-- Ended ones that are kept equally long end their time in the order in which they ended.
for _, ttl in ipairs(call('SMEMBERS', T .. ':fs')) do
  local key, more = T .. ':f:' .. ttl, ttl ~= 'n'
  while more and swept < 2000 and looked < 10000 do
    local ns = call('LRANGE', key, 0, 99)
    local recs, past = records(ns), 0
    looked = looked + #ns
    for i, n in ipairs(ns) do
      local void_entries = tonumber(call('HGET', T .. ':ftomb', n) or 0)
      local ended = recs[i] and six(recs[i], -6) or 0
      if void_entries > 0 then
        if call('HINCRBY', T .. ':ftomb', n, -1) <= 0 then call('HDEL', T .. ':ftomb', n) end
      elseif ended + tonumber(ttl) <= now then
        drop(n, recs[i])
        c.f = c.f - 1
        swept = swept + 1
      else
        more = false
        break
      end
      past = i
    end
    if past > 0 then call('LTRIM', key, past, -1) end
    if #ns == 0 then more = false end
  end
  if call('EXISTS', key) == 0 then call('SREM', T .. ':fs', ttl) end
end

for _, ttl in ipairs(call('SMEMBERS', T .. ':xs')) do
  local key = T .. ':x:' .. ttl
  if ttl ~= 'n' then
    for _, n in ipairs(call('ZRANGEBYSCORE', key, '-inf', format('%.0f', now_us - tonumber(ttl) * 1000), 'LIMIT', 0, 1000)) do
      drop(n, record(n))
      call('ZREM', key, n)
      c.x = c.x - 1
      swept = swept + 1
    end
  end
  if call('EXISTS', key) == 0 then call('SREM', T .. ':xs', ttl) end
end

-- Waiting ones whose time to live has passed.
for _, n in ipairs(call('ZRANGEBYSCORE', T .. ':ttl', '-inf', now, 'LIMIT', 0, 500)) do
  call('ZREM', T .. ':ttl', n)
  local rec = record(n)
  local h = rec and head(rec)
  if h and h.phase == 0 and h.deadline and deaths(n) == 0 and not owner_of(n) then
    if take_out(n, h) then
      fail(n, rec, h, 'it was not started within its time to live')
      swept = swept + 1
    end
  end
end

for _, key in ipairs(call('ZRANGEBYSCORE', T .. ':ue', '-inf', now, 'LIMIT', 0, 1000)) do
  call('ZREM', T .. ':ue', key)
  local till = string.match(call('HGET', T .. ':uniq', key) or '', '^%d+ (%d+)')
  if till and tonumber(till) > 0 and tonumber(till) <= now then call('HDEL', T .. ':uniq', key) end
end

-- Rates that are at rest, turns long ago, and owners of whom nothing was heard for a day.
local day_ago = format('%.0f', now - 86400000)
call('ZREMRANGEBYSCORE', T .. ':kt', '-inf', format('%.0f', now_us))
call('ZREMRANGEBYRANK', T .. ':lt', 0, -10001)
call('ZREMRANGEBYSCORE', T .. ':gone', '-inf', day_ago)
local leases = call('HGETALL', T .. ':lease')
for i = 1, #leases, 2 do
  local heard = string.match(leases[i + 1], '^%d+ (%d+)')
  if tonumber(heard) < tonumber(day_ago) and call('EXISTS', T .. ':w:' .. leases[i]) == 0 then
    call('HDEL', T .. ':lease', leases[i])
  end
end
if not fresh then save() end
return swept
