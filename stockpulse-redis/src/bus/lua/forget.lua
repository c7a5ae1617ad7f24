-- Forgets a group in one partition. KEYS: stream, lease, seen, dead letters. ARGV: group. Answers whether it was known.
local known = redis.pcall('XGROUP', 'DESTROY', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[2], KEYS[4])
redis.call('HDEL', KEYS[3], ARGV[1])
return known == 1 and 1 or 0
