-- Where a message is, and taking it out from there.

-- The owner that has started a message.
local function owner_of(n)
  for _, owner in ipairs(call('HKEYS', T .. ':lease')) do
    if call('SISMEMBER', T .. ':w:' .. owner, n) == 1 then return owner end
  end
end

-- A message's state, and the owner of a started one.
local function state_of(n, rec)
  if call('HEXISTS', T .. ':odd', n) == 1 then return 'failed' end
  local h = head(rec)
  if h and h.phase == 1 then return 'finished' end
  if h and h.phase == 2 then return 'failed' end
  if call('ZSCORE', T .. ':sched', n) then return 'scheduled' end
  local owner = owner_of(n)
  if owner then return 'started', owner end
  return 'queued'
end

-- Takes a message that waits out of where it waits.
local function take_out(n, h)
  if call('ZREM', T .. ':sched', n) == 1 then
    c.s = c.s - 1
    return true
  end
  c.q = c.q - 1
  if call('ZREM', T .. ':back', n) == 1 or call('ZREM', T .. ':last', n) == 1 then return true end
  if not (h and h.lane and lane_remove(n, h.lane)) then bury_entry(n) end
  return true
end

-- Takes an ended message out of the list of those that ended.
local function take_ended(n, state)
  if state == 'finished' then
    call('HINCRBY', T .. ':ftomb', n, 1)
    c.f = c.f - 1
    return
  end
  for _, ttl in ipairs(call('SMEMBERS', T .. ':xs')) do
    if call('ZREM', T .. ':x:' .. ttl, n) == 1 then break end
  end
  call('HDEL', T .. ':odd', n)
  c.x = c.x - 1
end

-- The number of a message: of its id, or of its number for the world.
local function number_of(id)
  if sub(id, 1, 1) == '@' then return call('HGET', T .. ':ids', sub(id, 2)) end
  local n = tonumber(id) - tonumber(base)
  if n < 100000 or n > c.n then return nil end
  return format('%.0f', n)
end

-- What is told of a message: number, record, state, when it runs, worker, start and progress, deaths, defect.
local function describe(reply, n, rec, state, owner)
  local at = #reply
  local due = state == 'scheduled' and call('ZSCORE', T .. ':sched', n)
  local lease = owner and call('HGET', T .. ':lease', owner)
  reply[at + 1] = n
  reply[at + 2] = rec
  reply[at + 3] = state
  reply[at + 4] = due and format('%.0f', floor(tonumber(due) / 16)) or ''
  reply[at + 5] = lease and string.match(lease, '^%d+ %d+ (.*)$') or ''
  reply[at + 6] = state == 'started' and call('HGET', T .. ':run', n) or ''
  reply[at + 7] = call('HGET', T .. ':dead', n) or ''
  reply[at + 8] = call('HGET', T .. ':odd', n) or ''
end
