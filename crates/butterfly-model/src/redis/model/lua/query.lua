-- ARGV: what is wanted (rows, keys, count, delete), the field to order by, ~ for the fit or nothing for the key, asc or desc, how many
-- to skip, how many at most or nothing, how many fields, their names, then what is asked for, in reverse Polish
-- notation. Answers how many there are in all, then those that were wanted.
local want, by, order, skip = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local limit = tonumber(ARGV[6])
local names, at = {}, 8
for n = 1, ARGV[7] do names[n], at = ARGV[at], at + 1 end
local clean = sweep()
local sorted = by == '' and base .. ':all' or base .. ':by:' .. by
local total, found = 0, {}

-- What the sorted sets answer by themselves: all, or a range of the field by which the order goes.
local function at_once()
  if not clean then return false end
  if ARGV[at] == 'all' and at == #ARGV and by == '' then
    total = redis.call('ZCARD', sorted)
    local last = limit and skip + limit - 1 or -1
    if limit == 0 then return true end
    found = redis.call(order == 'asc' and 'ZRANGE' or 'ZREVRANGE', sorted, skip, last)
    return true
  end
  if ARGV[at] == 'range' and at + 3 == #ARGV and ARGV[at + 1] == by then
    local low, high = ARGV[at + 2], ARGV[at + 3]
    total = redis.call('ZCOUNT', sorted, low, high)
    if order == 'asc' then
      found = redis.call('ZRANGEBYSCORE', sorted, low, high, 'LIMIT', skip, limit or -1)
    else
      found = redis.call('ZREVRANGEBYSCORE', sorted, high, low, 'LIMIT', skip, limit or -1)
    end
    return true
  end
  return false
end

local function set_of(list)
  local set = {}
  for _, pk in ipairs(list) do set[pk] = 0 end
  return set
end

local function asked()
  local stack = {}
  local function pop()
    local top = stack[#stack]
    stack[#stack] = nil
    return top
  end
  while at <= #ARGV do
    local what, set = ARGV[at], nil
    at = at + 1
    if what == 'all' then
      set = set_of(redis.call('ZRANGE', base .. ':all', 0, -1))
    elseif what == 'none' then
      set = {}
    elseif what == 'is' then
      set = set_of(redis.call('SMEMBERS', index('i', ARGV[at], ARGV[at + 1])))
      at = at + 2
    elseif what == 'word' then
      set = text_find(base .. ':text:' .. ARGV[at], ARGV[at + 1])
      at = at + 2
    elseif what == 'range' then
      set = set_of(redis.call('ZRANGEBYSCORE', base .. ':by:' .. ARGV[at], ARGV[at + 1], ARGV[at + 2]))
      at = at + 3
    elseif what == 'not' then
      local other = pop()
      set = {}
      for _, pk in ipairs(redis.call('ZRANGE', base .. ':all', 0, -1)) do
        if not other[pk] then set[pk] = 0 end
      end
    else
      local right, left = pop(), pop()
      set = text_join(what, left, right)
    end
    stack[#stack + 1] = set
  end
  return stack[1]
end

-- By bytes: Lua itself compares as the server's language does.
local function before(a, b)
  for n = 1, math.min(#a, #b) do
    local x, y = a:byte(n), b:byte(n)
    if x ~= y then return x < y end
  end
  return #a < #b
end

-- The keys of a set in order. Those without a number come last in either order.
local function in_order(set)
  local all = {}
  for pk, fit in pairs(set) do
    all[#all + 1] = {by == '~' and fit or tonumber(redis.call('ZSCORE', sorted, pk) or nil), pk}
  end
  table.sort(all, function(a, b)
    if a[1] ~= b[1] then
      if not a[1] or not b[1] then return a[1] ~= nil end
      if order == 'asc' then return a[1] < b[1] end
      return a[1] > b[1]
    end
    if order == 'asc' then return before(a[2], b[2]) end
    return before(b[2], a[2])
  end)
  return all
end

if not at_once() then
  local set = asked()
  for pk in pairs(set) do
    if clean or redis.call('EXISTS', record(pk)) == 1 then total = total + 1 else set[pk] = nil end
  end
  local seen, last = 0, limit and math.min(total, skip + limit) or total
  -- Where the set is a good part of all, the sorted set is gone through, which has the order already.
  if want ~= 'count' and by ~= '~' and total * 4 > redis.call('ZCARD', sorted) then
    local from = 0
    while seen < last do
      local page = redis.call(order == 'asc' and 'ZRANGE' or 'ZREVRANGE', sorted, from, from + 999)
      if #page == 0 then break end
      for _, pk in ipairs(page) do
        if set[pk] and seen < last then
          seen, set[pk] = seen + 1, nil
          if seen > skip then found[#found + 1] = pk end
        end
      end
      from = from + 1000
    end
  end
  if want ~= 'count' and seen < last then
    for _, entry in ipairs(in_order(set)) do
      seen = seen + 1
      if seen > skip and seen <= last then found[#found + 1] = entry[2] end
    end
  end
end

if want == 'count' then return {total} end
if want == 'delete' then
  local count = 0
  for _, pk in ipairs(found) do count = count + forget(pk) end
  return {count}
end
local out = {total}
for _, pk in ipairs(found) do
  out[#out + 1] = want == 'keys' and pk or redis.call('HMGET', record(pk), unpack(names))
end
return out
