-- Lanes: messages with the same key, where keys take turns.
--
--   k:<lane>   the lane's messages: score is (9 - priority) * 1e13 + number, below 0 for those that came back
--   ring       lanes that may be next: score is the priority of their first message, then their last turn
--   lt         the lanes' last turns; whoever had none for long is before all others
--   park, blk  lanes that wait: for their rate (score: until when), for one of theirs to end
--   kr, kl     how many a lane runs; which lane a started message is in
--   kt         each lane's rate: its theoretical arrival time in microseconds
local LANE_STEP, TURN_STEP, HAD_TURN = 10000000000000, 1000000000000, 500000000000

-- Puts a lane where its first message and its last turn say; out of the ring when it has no message.
local function lane_turn(lane)
  local first = call('ZRANGE', T .. ':k:' .. lane, 0, 0, 'WITHSCORES')
  if #first == 0 then return call('ZREM', T .. ':ring', lane) end
  local turn = tonumber(call('ZSCORE', T .. ':lt', lane))
  if turn then
    turn = HAD_TURN + turn
  else
    c.turn = c.turn + 1
    turn = c.turn
  end
  local rank = floor(tonumber(first[2]) / LANE_STEP)
  call('ZADD', T .. ':ring', format('%.0f', rank * TURN_STEP + turn), lane)
end

local function lane_push(n, h, back)
  local lane, key = h.lane, T .. ':k:' .. h.lane
  local rank = back and -1 or 9 - h.priority
  call('ZADD', key, format('%.0f', rank * LANE_STEP + tonumber(n)), n)
  c.kq = c.kq + 1
  local turn = call('ZSCORE', T .. ':ring', lane)
  if turn then
    -- A message of a higher priority takes its lane forward; among equals the lane keeps its turn.
    local best = rank * TURN_STEP + tonumber(turn) % TURN_STEP
    if best < tonumber(turn) then call('ZADD', T .. ':ring', format('%.0f', best), lane) end
  elseif call('ZSCORE', T .. ':park', lane) or call('SISMEMBER', T .. ':blk', lane) == 1 then
    return
  else
    lane_turn(lane)
  end
end

local function lane_taken(n, lane)
  c.kw = c.kw + 1
  c.turn = c.turn + 1
  call('ZADD', T .. ':lt', format('%.0f', c.turn), lane)
  call('HSET', T .. ':kl', n, lane)
  return call('HINCRBY', T .. ':kr', lane, 1)
end

-- A message that was started in a lane is no longer.
local function lane_done(n)
  if c.kw == 0 then return end
  local lane = call('HGET', T .. ':kl', n)
  if not lane then return end
  c.kw = c.kw - 1
  call('HDEL', T .. ':kl', n)
  if call('HINCRBY', T .. ':kr', lane, -1) <= 0 then call('HDEL', T .. ':kr', lane) end
  if call('SREM', T .. ':blk', lane) == 1 then lane_turn(lane) end
end

-- Takes a message that waits out of its lane. False where it is not in it.
local function lane_remove(n, lane)
  if call('ZREM', T .. ':k:' .. lane, n) == 0 then return false end
  c.kq = c.kq - 1
  if call('EXISTS', T .. ':k:' .. lane) == 0 then
    call('ZREM', T .. ':ring', lane)
    call('ZREM', T .. ':park', lane)
    call('SREM', T .. ':blk', lane)
  end
  return true
end
