-- A message. ARGV: its id (@text or its number). Gives base (0 while there is none), then what is told of it.
local n = not fresh and number_of(ARGV[1])
local rec = n and record(n)
if not rec then return {fresh and '0' or base} end
local reply = {base}
describe(reply, n, rec, state_of(n, rec))
return reply
