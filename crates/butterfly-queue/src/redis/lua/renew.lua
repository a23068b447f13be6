-- Moves an owner's beat. ARGV: owner, worker, base, then number, start and progress of what runs long.
-- Gives base, whether the owner still holds its lease, and the numbers of messages to be stopped.
local owner, lease = ARGV[1], T .. ':lease'
if call('ZSCORE', T .. ':gone', owner) then return {base, 0} end
local mine = T .. ':w:' .. owner
local old = call('HGET', lease, owner)
if old or call('EXISTS', mine) == 1 then
  local beat = old and tonumber(string.match(old, '^%d+')) + 1 or now
  call('HSET', lease, owner, format('%.0f %.0f %s', beat, now, ARGV[2]))
end
if ARGV[3] == base then
  for i = 4, #ARGV, 3 do
    if call('SISMEMBER', mine, ARGV[i]) == 1 then
      call('HSET', T .. ':run', ARGV[i], ARGV[i + 1] .. ' ' .. ARGV[i + 2])
    end
  end
end
local reply = {base, 1}
for _, n in ipairs(call('HKEYS', T .. ':cancel')) do
  if call('SISMEMBER', mine, n) == 1 then reply[#reply + 1] = n end
end
return reply
