-- ARGV: the keys.
local count = 0
for n = 2, #ARGV do count = count + forget(ARGV[n]) end
return count
