-- Hands back what an owner has without knowing it. ARGV: owner, worker, base, then the numbers that it knows.
local mine, known, back = T .. ':w:' .. ARGV[1], {}, {}
if ARGV[3] == base then
  for i = 4, #ARGV do known[ARGV[i]] = true end
end
for _, n in ipairs(call('SMEMBERS', mine)) do
  if not known[n] then back[#back + 1] = n end
end
table.sort(back, function(a, b) return tonumber(a) < tonumber(b) end)
for _, n in ipairs(back) do
  call('SREM', mine, n)
  give_back(n, record(n), ARGV[2])
end
if #back > 0 then
  wake()
  save()
end
return #back
