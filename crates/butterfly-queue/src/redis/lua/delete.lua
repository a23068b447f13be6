-- Removes a message that is not running. ARGV: its id. Gives what was done, or the state that does not allow it.
local n = not fresh and number_of(ARGV[1])
local rec = n and record(n)
if not rec then return 'missing' end
local state = state_of(n, rec)
if state == 'started' then return state end
if state == 'finished' or state == 'failed' then take_ended(n, state) else take_out(n, head(rec)) end
forget({n})
drop(n, rec)
save()
return 'done'
