-- KEYS[1]: the place; ARGV: the key, its words, what is kept beside them. Says whether the key is new.
local new = redis.call('HSET', KEYS[1] .. ':kept', ARGV[1], ARGV[3])
text_put(KEYS[1], ARGV[1], ARGV[2])
return new
