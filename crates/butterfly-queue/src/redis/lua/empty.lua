-- Removes messages in a state. ARGV: state, at most how many. Gives how many it removed.
local state, limit = ARGV[1], math.min(tonumber(ARGV[2]), 1000)
local removed = 0

local function remove(ns)
  if #ns == 0 then return end
  local recs = records(ns)
  forget(ns)
  for i, n in ipairs(ns) do drop(n, recs[i]) end
  removed = removed + #ns
end

local function remove_list(key, is_void)
  while removed < limit do
    local got, live = call('LRANGE', key, 0, limit - removed - 1), {}
    if #got == 0 then return end
    call('LTRIM', key, #got, -1)
    for _, n in ipairs(got) do
      if not is_void(n) then live[#live + 1] = n end
    end
    remove(live)
  end
end

local function void_ended(n)
  local left = tonumber(call('HGET', T .. ':ftomb', n) or 0)
  if left > 0 and call('HINCRBY', T .. ':ftomb', n, -1) <= 0 then call('HDEL', T .. ':ftomb', n) end
  return left > 0
end

local function remove_sorted(key)
  local ns = removed < limit and call('ZRANGE', key, 0, limit - removed - 1) or {}
  if #ns > 0 then
    call('ZREM', key, unpack(ns))
    remove(ns)
  end
end

if state == 'scheduled' then
  remove_sorted(T .. ':sched')
  c.s = c.s - removed
elseif state == 'finished' then
  for _, ttl in ipairs(call('SMEMBERS', T .. ':fs')) do remove_list(T .. ':f:' .. ttl, void_ended) end
  c.f = c.f - removed
elseif state == 'failed' then
  for _, ttl in ipairs(call('SMEMBERS', T .. ':xs')) do
    for _, n in ipairs(removed < limit and call('ZRANGE', T .. ':x:' .. ttl, 0, limit - removed - 1) or {}) do call('HDEL', T .. ':odd', n) end
    remove_sorted(T .. ':x:' .. ttl)
  end
  c.x = c.x - removed
elseif state == 'queued' then
  for _, sorted in ipairs({':back', ':last'}) do remove_sorted(T .. sorted) end
  for _, list in ipairs({':q9', ':q8', ':q7', ':q6', ':q5', ':q4', ':q3', ':q2', ':q1', ':q0'}) do
    remove_list(T .. list, void)
  end
  for _, where in ipairs({'ring', 'park', 'blk'}) do
    local lanes = where == 'blk' and call('SMEMBERS', T .. ':blk') or call('ZRANGE', T .. ':' .. where, 0, 999)
    for _, lane in ipairs(lanes) do
      for _, n in ipairs(removed < limit and call('ZRANGE', T .. ':k:' .. lane, 0, limit - removed - 1) or {}) do
        lane_remove(n, lane)
        remove({n})
      end
    end
  end
  c.q = c.q - removed
end
if removed > 0 then save() end
return removed
