-- KEYS[1]: the place; ARGV: how many to skip, how many at most, then words and how they are combined. Answers how many
-- there are in all, then key, score and what is kept of each.
local skip, limit, stack = tonumber(ARGV[1]), tonumber(ARGV[2]), {}
local n = 3
while n <= #ARGV do
  if ARGV[n] == 'word' then
    stack[#stack + 1] = text_find(KEYS[1], ARGV[n + 1])
    n = n + 2
  else
    local right, left = table.remove(stack), table.remove(stack)
    stack[#stack + 1] = text_join(ARGV[n], left, right)
    n = n + 1
  end
end
local all = {}
for pk, score in pairs(stack[1]) do all[#all + 1] = {score, pk} end
table.sort(all, function(a, b)
  if a[1] ~= b[1] then return a[1] > b[1] end
  return a[2] < b[2]
end)
local out = {#all}
for at = skip + 1, math.min(#all, skip + limit) do
  out[#out + 1] = all[at][2]
  out[#out + 1] = string.format('%.6f', all[at][1])
  out[#out + 1] = redis.call('HGET', KEYS[1] .. ':kept', all[at][2])
end
return out
