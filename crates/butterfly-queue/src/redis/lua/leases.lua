-- The owners that hold messages: owner, beat and worker of each.
local reply, all = {}, call('HGETALL', T .. ':lease')
for i = 1, #all, 2 do
  if call('EXISTS', T .. ':w:' .. all[i]) == 1 then
    local beat, worker = string.match(all[i + 1], '^(%d+) %d+ (.*)$')
    reply[#reply + 1] = all[i]
    reply[#reply + 1] = beat
    reply[#reply + 1] = worker
  end
end
return reply
