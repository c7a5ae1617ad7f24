-- Prolongs a lease. KEYS: lease, seen. ARGV: group, member, generation, lease in ms. Answers whether it still holds.
local lease = redis.call('HMGET', KEYS[1], 'owner', 'generation')
if lease[1] ~= ARGV[2] or lease[2] ~= ARGV[3] then
    return 0
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'until', now + ARGV[4])
redis.call('HSET', KEYS[2], ARGV[1], now)
return 1
