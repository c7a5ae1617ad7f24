-- Acknowledges entries for a partition's owner.
-- KEYS: stream, lease. ARGV: group, member, generation, ids. Answers whether the partition is still the member's.
local lease = redis.call('HMGET', KEYS[2], 'owner', 'generation')
if lease[1] ~= ARGV[2] or lease[2] ~= ARGV[3] then
    return 0
end
redis.call('XACK', KEYS[1], ARGV[1], unpack(ARGV, 4))
return 1
