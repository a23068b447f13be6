-- KEYS[1]: the triples, each three times: its parts in the orders spo, pos and osp, with zero bytes before them.
-- ARGV: how many at most, how many variables there are, then for each condition three parts: v and the number of a
-- variable, or = and a text. Answers the variables' values of each solution.
local limit, variables = tonumber(ARGV[1]), tonumber(ARGV[2])
local conditions = {}
for n = 3, #ARGV, 3 do
  local condition = {}
  for part = 1, 3 do
    local text = ARGV[n + part - 1]
    condition[part] = text:sub(1, 1) == 'v' and {variable = tonumber(text:sub(2))} or {text = text:sub(2)}
  end
  conditions[#conditions + 1] = condition
end
local values, out = {}, {}

local function known(part) return part.text or values[part.variable] end

-- The triples of a condition as far as it is known: it begins an order.
local ways = {spo = {1, 2, 3}, pos = {2, 3, 1}, osp = {3, 1, 2}}
local function triples(condition)
  local has = {known(condition[1]), known(condition[2]), known(condition[3])}
  local order = 'spo'
  if has[2] and not has[1] then order = 'pos' elseif has[3] and not has[2] then order = 'osp' end
  local way, prefix = ways[order], order
  for n = 1, 3 do
    if not has[way[n]] then break end
    prefix = prefix .. '\0' .. has[way[n]]
  end
  prefix = prefix .. (has[1] and has[2] and has[3] and '' or '\0')
  local last = (has[1] and has[2] and has[3]) and prefix or prefix .. '\255'
  local found = {}
  for n, member in ipairs(redis.call('ZRANGEBYLEX', KEYS[1], '[' .. prefix, '[' .. last)) do
    local at, triple = 5, {}
    for part = 1, 3 do
      local stop = member:find('\0', at, true) or #member + 1
      triple[way[part]] = member:sub(at, stop - 1)
      at = stop + 1
    end
    found[n] = triple
  end
  return found
end

-- The condition of which most is known comes next.
local function next_of(left)
  local best, most = 1, -1
  for n, condition in ipairs(left) do
    local count = 0
    for part = 1, 3 do if known(condition[part]) then count = count + 1 end end
    if count > most then best, most = n, count end
  end
  return best
end

local function solve(left)
  if #left == 0 then
    local solution = {}
    for n = 1, variables do solution[n] = values[n] end
    out[#out + 1] = solution
    return
  end
  local rest, best = {}, next_of(left)
  for n, condition in ipairs(left) do if n ~= best then rest[#rest + 1] = condition end end
  local condition = left[best]
  for _, triple in ipairs(triples(condition)) do
    if #out >= limit then return end
    local bound, fits = {}, true
    for part = 1, 3 do
      local variable = condition[part].variable
      if variable then
        if values[variable] == nil then
          values[variable] = triple[part]
          bound[#bound + 1] = variable
        elseif values[variable] ~= triple[part] then
          fits = false
        end
      end
    end
    if fits then solve(rest) end
    for _, variable in ipairs(bound) do values[variable] = nil end
  end
end
if limit > 0 then solve(conditions) end
return out
