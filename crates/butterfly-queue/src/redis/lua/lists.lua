-- Walking through what waits and what ended.
local IN_LINE = {':q9', ':q8', ':q7', ':q6', ':q5', ':q4', ':q3', ':q2', ':q1', ':q0'}

-- Adds the numbers at some places of a list to a page, void entries left out. `page` has offset, limit and ns.
local function walk(page, key, from_end, alive)
  local len = call('LLEN', key)
  if not alive then
    if page.offset >= len then
      page.offset = page.offset - len
      return
    end
    local from, to = page.offset, page.offset + page.limit - #page.ns - 1
    if from_end then from, to = -1 - to, -1 - from end
    local got = call('LRANGE', key, math.max(from, -len), to)
    if from_end then
      for i = #got, 1, -1 do page.ns[#page.ns + 1] = got[i] end
    else
      for _, n in ipairs(got) do page.ns[#page.ns + 1] = n end
    end
    page.offset = 0
    return
  end
  local at = 0
  while at < len and #page.ns < page.limit do
    local got
    if from_end then got = call('LRANGE', key, math.max(-at - 500, -len), -at - 1) else got = call('LRANGE', key, at, at + 499) end
    for i = 1, #got do
      local n = from_end and got[#got + 1 - i] or got[i]
      if alive(n) then
        if page.offset > 0 then
          page.offset = page.offset - 1
        elseif #page.ns < page.limit then
          page.ns[#page.ns + 1] = n
        end
      end
    end
    at = at + 500
  end
end

-- Says of each entry in turn whether it counts: the first ones of a number that has void ones do not.
local function waiting_filter()
  if not has.tomb then return nil end
  local left = {}
  return function(n)
    left[n] = left[n] or tonumber(call('HGET', T .. ':tomb', n) or 0)
    if left[n] == 0 then return true end
    left[n] = left[n] - 1
    return false
  end
end

-- From the end of the list, a number's first entry counts if the message is finished, and no other.
local function ended_filter()
  if call('EXISTS', T .. ':ftomb') == 0 then return nil end
  local seen = {}
  return function(n)
    if call('HEXISTS', T .. ':ftomb', n) == 0 then return true end
    if seen[n] then return false end
    seen[n] = true
    local rec = record(n)
    return rec and byte(rec, 2) % 4 == 1
  end
end

-- The first lanes of a kind: there may be as many as there are keys, but for those that wait for one of theirs to end.
local function lanes_of(where, most)
  if where == ':blk' then return call('SMEMBERS', T .. where) end
  return call('ZRANGE', T .. where, 0, most - 1)
end
