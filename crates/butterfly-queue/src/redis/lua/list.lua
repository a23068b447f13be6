-- A page of the messages in a state. ARGV: state, offset, limit. Gives base, then what is told of each.
local state = ARGV[1]
local page = {offset = tonumber(ARGV[2]), limit = math.min(tonumber(ARGV[3]), 1000), ns = {}}
local owners = {}

local function of_list(all)
  for i = page.offset + 1, math.min(page.offset + page.limit - #page.ns, #all) do page.ns[#page.ns + 1] = all[i] end
  page.offset = math.max(page.offset - #all, 0)
end

local function of_sorted(key)
  local len = call('ZCARD', key)
  if page.offset >= len then
    page.offset = page.offset - len
  elseif #page.ns < page.limit then
    for _, n in ipairs(call('ZRANGE', key, page.offset, page.offset + page.limit - #page.ns - 1)) do
      page.ns[#page.ns + 1] = n
    end
    page.offset = 0
  end
end

local function queued()
  local filter = waiting_filter()
  of_sorted(T .. ':back')
  for _, list in ipairs(IN_LINE) do
    if #page.ns < page.limit then walk(page, T .. list, false, filter) end
  end
  for _, where in ipairs(c.kq > 0 and {':ring', ':park', ':blk'} or {}) do
    if #page.ns >= page.limit then break end
    -- Each lane has a message at least: no more of them are needed than messages.
    for _, lane in ipairs(lanes_of(where, page.offset + page.limit - #page.ns)) do
      if #page.ns >= page.limit then break end
      of_sorted(T .. ':k:' .. lane)
    end
  end
  of_sorted(T .. ':last')
end

local function started()
  local all = {}
  for _, owner in ipairs(call('HKEYS', T .. ':lease')) do
    for _, n in ipairs(call('SMEMBERS', T .. ':w:' .. owner)) do
      owners[n] = owner
      all[#all + 1] = n
    end
  end
  table.sort(all, function(a, b) return tonumber(a) < tonumber(b) end)
  of_list(all)
end

-- Those that ended are in a list for each time that they are kept: one is paged through, several are merged.
local function ended(set, count, window)
  if page.offset >= count then return end
  local kinds = call('SMEMBERS', T .. set)
  if #kinds == 1 then return window(page, kinds[1]) end
  local all = {}
  for _, ttl in ipairs(kinds) do
    local part = {offset = 0, limit = page.offset + page.limit, ns = {}}
    window(part, ttl)
    local recs = {}
    for i = 1, #part.ns, 500 do
      for _, rec in ipairs(records({unpack(part.ns, i, math.min(i + 499, #part.ns))})) do recs[#recs + 1] = rec end
    end
    for i, n in ipairs(part.ns) do
      all[#all + 1] = {n, recs[i] and byte(recs[i], 1) == 1 and six(recs[i], -6) or 0, #all}
    end
  end
  table.sort(all, function(a, b) return a[2] > b[2] or (a[2] == b[2] and a[3] < b[3]) end)
  local ns = {}
  for i, one in ipairs(all) do ns[i] = one[1] end
  of_list(ns)
end

if state == 'scheduled' then
  page.ns = call('ZRANGE', T .. ':sched', ARGV[2], page.offset + page.limit - 1)
elseif state == 'queued' then
  queued()
elseif state == 'started' then
  started()
elseif state == 'finished' then
  local filter = ended_filter()
  ended(':fs', c.f, function(into, ttl) walk(into, T .. ':f:' .. ttl, true, filter) end)
else
  ended(':xs', c.x, function(into, ttl)
    into.ns = call('ZREVRANGE', T .. ':x:' .. ttl, format('%.0f', into.offset), format('%.0f', into.offset + into.limit - 1))
  end)
end

local reply = {base}
for i, rec in ipairs(records(page.ns)) do
  if rec then describe(reply, page.ns[i], rec, state, owners[page.ns[i]]) end
end
return reply
