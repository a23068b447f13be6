-- Takes a dead owner's messages away. ARGV: owner, beat, deaths at which a message is failed, why it is failed.
-- Gives how many are queued again and how many failed.
local owner = ARGV[1]
local lease = call('HGET', T .. ':lease', owner)
if not lease or string.match(lease, '^%d+') ~= ARGV[2] then return {0, 0} end
local worker = string.match(lease, '^%d+ %d+ (.*)$')
local mine = T .. ':w:' .. owner
local taken = call('SMEMBERS', mine)
table.sort(taken, function(a, b) return tonumber(a) < tonumber(b) end)
local failed_before = c.x
for _, n in ipairs(taken) do
  local rec = record(n)
  local died = call('HINCRBY', T .. ':dead', n, 1)
  has.dead = true
  give_back(n, rec, worker, died >= tonumber(ARGV[3]) and ARGV[4])
end
call('DEL', mine)
call('HDEL', T .. ':lease', owner)
call('ZADD', T .. ':gone', now, owner)
wake()
save()
local failed = c.x - failed_before
return {#taken - failed, failed}
