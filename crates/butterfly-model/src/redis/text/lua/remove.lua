-- KEYS[1]: the place; ARGV: the key. Says whether it was there.
text_drop(KEYS[1], ARGV[1])
return redis.call('HDEL', KEYS[1] .. ':kept', ARGV[1])
