-- What the server says of itself. A proxy passes no INFO on, but scripts.
return redis.call('INFO', ARGV[1])
