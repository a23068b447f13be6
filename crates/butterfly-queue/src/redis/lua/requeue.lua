-- Queues an ended message again. ARGV: its number, its record as it was read, its new record.
-- Gives whether it was still so.
local n, rec = ARGV[1], ARGV[3]
if record(n) ~= ARGV[2] then return 0 end
take_ended(n, state_of(n, ARGV[2]))
forget({n})
put(n, rec)
local h = head(rec)
ready(n, h)
if h.deadline then call('ZADD', T .. ':ttl', format('%.0f', h.deadline), n) end
wake()
save()
return 1
