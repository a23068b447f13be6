-- ARGV: how many fields, their names, then the keys. Answers the fields of each.
local last = 2 + ARGV[2]
local names, out = {}, {}
for n = 3, last do names[#names + 1] = ARGV[n] end
for n = last + 1, #ARGV do out[#out + 1] = redis.call('HMGET', record(ARGV[n]), unpack(names)) end
return out
