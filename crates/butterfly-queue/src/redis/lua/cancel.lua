-- Cancels a message. ARGV: its id, why. Gives what was done, or the state that does not allow it.
local n = not fresh and number_of(ARGV[1])
local rec = n and record(n)
if not rec then return 'missing' end
local state = state_of(n, rec)
if state == 'finished' or state == 'failed' then return state end
if state == 'started' then
  call('HSET', T .. ':cancel', n, ARGV[2])
  call('PUBLISH', PREFIX .. 'wake', 'c' .. world(n) .. ' ' .. PATH)
  return 'told'
end
local h = head(rec)
take_out(n, h)
if h then fail(n, rec, h, ARGV[2]) else set_aside(n, defect(rec)) end
save()
return 'done'
