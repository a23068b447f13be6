-- Ends runs and claims messages. ARGV: owner, worker, base, how many are wanted, whether a last chance may be given, the
-- limits (concurrency; interval and burst; both for each lane), each 0 for none; n:attempts of the ends that had some;
-- the number of groups of finished ones; for each group how long it is kept, its count, and number and record of each;
-- then kind, number, record, time and attempts for each of the others: f failed, r to be retried at, l released.
--
-- Gives base, time, when to ask again (n now, w when woken, o never as this owner, else a time), a digit for each end
-- (1 settled, 0 lost), deaths where any has some, then number and record of each that was claimed.
local owner, worker = ARGV[1], ARGV[2]
local want, last_chance = math.min(tonumber(ARGV[4]), 1000), ARGV[5] == '1'
local concurrency, interval, burst = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local lane_concurrency, lane_interval, lane_burst = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
local mine, zeros = T .. ':w:' .. owner, T .. ':z:' .. owner
-- Whether there is more to claim than there was, and whether a message is scheduled before all others.
local stir, earlier = false, false

-- Which of the ends are still in the owner's lease. They leave it.
local ends, finished_to = {}, 14
local held = {}
do
  for _ = 1, tonumber(ARGV[13]) do
    local count = tonumber(ARGV[finished_to + 1])
    for i = finished_to + 2, finished_to + 2 * count, 2 do ends[#ends + 1] = ARGV[i] end
    finished_to = finished_to + 2 + 2 * count
  end
  for i = finished_to, #ARGV, 5 do ends[#ends + 1] = ARGV[i + 1] end
  if #ends > 0 and ARGV[3] == base then
    local tries = {}
    for n, attempts in string.gmatch(ARGV[12], '(%d+):(%d+)') do tries[n] = attempts end
    local member = redis.pcall('SMISMEMBER', mine, unpack(ends))
    if member.err then -- Redis 6.0
      member = {}
      for i, n in ipairs(ends) do member[i] = call('SISMEMBER', mine, n) end
    end
    local leaving = {}
    for i, n in ipairs(ends) do
      -- The owner may have it again: then an end with other attempts is of an earlier run.
      if member[i] == 1 and (not has.tries or (call('HGET', T .. ':tries', n) or '0') == (tries[n] or '0')) then
        held[n] = true
        leaving[#leaving + 1] = n
      end
    end
    if #leaving > 0 then c.w = c.w - call('SREM', mine, unpack(leaving)) end
  end
end

local settled = {}

-- An end of a message that the owner does not have: it may be the second time that it is told.
local function again(n, rec)
  if ARGV[3] ~= base then return '0' end
  local stored = record(n)
  if stored then return #rec > 0 and sub(stored, 1, #rec) == rec and '1' or '0' end
  for _, zero in ipairs(call('LRANGE', zeros, 0, -1)) do
    if zero == n then return '1' end
  end
  return '0'
end

local function settle(n, rec)
  local ours = held[n]
  held[n] = nil
  settled[#settled + 1] = ours and '1' or again(n, rec)
  return ours
end

local function finish(ns, recs, ttl)
  for i, n in ipairs(ns) do
    local rec = recs[i]
    lane_done(n)
    if byte(rec, 2) >= 4 then tell(head(rec), n) end
    recs[i] = with_progress(n, rec) .. ENDED
  end
  forget(ns)
  if ttl == '0' then
    for i, n in ipairs(ns) do drop(n, recs[i]) end
    call('RPUSH', zeros, unpack(ns))
    call('LTRIM', zeros, -2000, -1)
    call('PEXPIRE', zeros, 3600000)
    return
  end
  put_all(ns, recs)
  call('RPUSH', T .. ':f:' .. ttl, unpack(ns))
  call('SADD', T .. ':fs', ttl)
  c.f = c.f + #ns
end

local at = 14
for _ = 1, tonumber(ARGV[13]) do
  local ttl, ns, recs = ARGV[at], {}, {}
  local to = at + 1 + 2 * tonumber(ARGV[at + 1])
  for i = at + 2, to, 2 do
    if settle(ARGV[i], ARGV[i + 1]) then
      ns[#ns + 1], recs[#recs + 1] = ARGV[i], ARGV[i + 1]
    end
  end
  if #ns > 0 then finish(ns, recs, ttl) end
  at = to + 1
end

local function retry(n, rec, h, when, attempts)
  local why = has.cancel and call('HGET', T .. ':cancel', n)
  lane_done(n)
  if why then return fail(n, rec, h, why) end
  put(n, with_progress(n, rec))
  if has.run then call('HDEL', T .. ':run', n) end
  if attempts ~= '0' then call('HSET', T .. ':tries', n, attempts) end
  if when <= now then
    ready(n, h)
    stir = true
  elseif schedule(n, h, when) then
    earlier = true
  end
end

for i = at, #ARGV, 5 do
  local kind, n, rec = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if settle(n, rec) then
    if kind == 'f' then
      lane_done(n)
      keep_failed(n, with_progress(n, rec), head(rec))
    elseif kind == 'r' then
      retry(n, rec, head(rec), tonumber(ARGV[i + 3]), ARGV[i + 4])
    else
      c.w = c.w + 1
      give_back(n, record(n), worker)
      stir = true
    end
  end
end

if move_due() then stir = true end

-- Claims.
local ns, recs, looked = {}, {}, 0
local EXPIRED = 'it was not started within its time to live'

-- How many the topic's rate lets start now. A clock that went back does not stop it for longer than a burst lasts.
local function allowed()
  c.t = math.min(math.max(c.t, now_us), now_us + interval * burst)
  return floor((now_us + interval * burst - c.t) / interval)
end

local room = want
if concurrency > 0 then room = math.min(room, math.max(concurrency - c.w, 0)) end
if interval > 0 then room = math.min(room, allowed()) end
local first_time = call('HEXISTS', T .. ':lease', owner) == 0
local gone = first_time and call('ZSCORE', T .. ':gone', owner)
if c.p == 1 or gone then room = 0 end

-- Looks at a message that left its list: gives it to the owner, or fails it.
local function consider(n, rec)
  c.q = c.q - 1
  looked = looked + 1
  if not rec then return end
  if byte(rec, 1) ~= 1 or #rec < 9 then return set_aside(n, defect(rec)) end
  if byte(rec, 2) >= 4 then
    local h = head(rec)
    if not h then return set_aside(n, defect(rec)) end
    if h.deadline and h.deadline <= now and deaths(n) == 0 then return fail(n, rec, h, EXPIRED) end
    if h.deadline then
      -- From its first run on it has no such limit any more.
      rec = char(1, byte(rec, 2) - 32) .. sub(rec, 3, h.deadline_at - 1) .. sub(rec, h.deadline_at + 6)
      put(n, rec)
    end
    if h.lane then lane_taken(n, h.lane) end
  end
  ns[#ns + 1], recs[#recs + 1] = n, rec
end

local function take_sorted(list, most)
  while #ns < most and looked < 2000 do
    local got = call('ZRANGE', T .. list, 0, most - #ns - 1)
    if #got == 0 then return end
    call('ZREM', T .. list, unpack(got))
    local there = records(got)
    for i, n in ipairs(got) do consider(n, there[i]) end
  end
end

local function take(list, most)
  while #ns < most and looked < 2000 do
    local key = T .. list
    local got = call('LRANGE', key, 0, most - #ns - 1)
    if #got == 0 then return end
    call('LTRIM', key, #got, -1)
    local live = got
    if has.tomb then
      live = {}
      for _, n in ipairs(got) do
        if not void(n) then live[#live + 1] = n end
      end
      looked = looked + #got - #live
    end
    local there = records(live)
    for i, n in ipairs(live) do consider(n, there[i]) end
  end
end

-- Whether a lane may start one more now; parks it where not.
local function lane_may(lane)
  if lane_concurrency > 0 and tonumber(call('HGET', T .. ':kr', lane) or 0) >= lane_concurrency then
    call('ZREM', T .. ':ring', lane)
    call('SADD', T .. ':blk', lane)
    return false
  end
  if lane_interval == 0 then return true end
  local tat = math.max(tonumber(call('ZSCORE', T .. ':kt', lane) or 0), now_us)
  tat = math.min(tat, now_us + lane_interval * lane_burst)
  local free = tat + lane_interval - lane_interval * lane_burst
  if free > now_us then
    call('ZREM', T .. ':ring', lane)
    call('ZADD', T .. ':park', format('%.0f', math.ceil(free / 1000)), lane)
    return false
  end
  return tat
end

local function take_turns(most)
  for _, lane in ipairs(call('ZRANGEBYSCORE', T .. ':park', '-inf', now, 'LIMIT', 0, 1000)) do
    call('ZREM', T .. ':park', lane)
    lane_turn(lane)
  end
  while #ns < most and looked < 2000 do
    local lane = call('ZRANGE', T .. ':ring', 0, 0)[1]
    if not lane then return end
    local tat = lane_may(lane)
    looked = looked + 1
    if tat then
      local key = T .. ':k:' .. lane
      local n = call('ZRANGE', key, 0, 0)[1]
      if n then
        call('ZREM', key, n)
        c.kq = c.kq - 1
        local before = #ns
        consider(n, record(n))
        if #ns > before and lane_interval > 0 then
          call('ZADD', T .. ':kt', format('%.0f', tat + lane_interval), lane)
        end
      end
      lane_turn(lane)
    end
  end
end

local others = true
if room > 0 and c.q > 0 then
  if last_chance then take_sorted(':last', 1) end
  if #ns == 0 then
    take_sorted(':back', room)
    for priority = 9, 0, -1 do
      if #ns >= room then break end
      take(':q' .. priority, room)
    end
    if c.kq > 0 then take_turns(room) end
  else
    others = false
  end
end

local died = ''
if #ns > 0 then
  c.w = c.w + #ns
  if interval > 0 then c.t = c.t + #ns * interval end
  call('SADD', mine, unpack(ns))
  if first_time then call('HSET', T .. ':lease', owner, format('%.0f %.0f %s', now, now, worker)) end
  if has.dead then
    local counts = call('HMGET', T .. ':dead', unpack(ns))
    for i = 1, #ns do counts[i] = counts[i] or '0' end
    died = table.concat(counts, ' ')
  end
end

-- When to ask again: at once if there may be more, at a time, or when woken.
local next_time = 'w'
local function sooner(time)
  if next_time == 'w' or time < next_time then next_time = time end
end
local full = #ns >= want or looked >= 2000 or not others
local more = c.q > 0 and c.p == 0 and c.q > call('ZCARD', T .. ':last')
local free = concurrency == 0 or c.w < concurrency
local rated = interval > 0 and allowed() < 1
if gone then
  next_time = 'o'
elseif more and full and free and not rated then
  next_time = 'n'
elseif c.p == 0 then
  local first = call('ZRANGE', T .. ':sched', 0, 0, 'WITHSCORES')[2]
  if first then sooner(math.max(floor(tonumber(first) / 16), now + 1)) end
  if c.q > 0 and free and rated then sooner(math.ceil((c.t + interval - interval * burst) / 1000)) end
  if c.kq > 0 and free then
    local parked = call('ZRANGE', T .. ':park', 0, 0, 'WITHSCORES')[2]
    if parked then sooner(math.max(tonumber(parked), now + 1)) end
  end
end
-- Others are woken for what this one did not take, and to set their clocks anew: this one may die before it is time.
if earlier or ((stir or #ends > 0) and next_time == 'n') then wake() end
if next_time ~= 'n' and not gone then c.i = 1 end
save()

if tonumber(next_time) then next_time = format('%.0f', next_time) end
local reply = {base, now, next_time, table.concat(settled), died}
for i, n in ipairs(ns) do
  reply[4 + 2 * i] = n
  reply[5 + 2 * i] = recs[i]
end
return reply
