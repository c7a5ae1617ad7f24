-- Notes for later owners that an entry has to wait.
-- KEYS: stream, lease. ARGV: group, member, generation, id, deliveries, ms. Answers as `settle` does.
local lease = redis.call('HMGET', KEYS[2], 'owner', 'generation')
if lease[1] ~= ARGV[2] or lease[2] ~= ARGV[3] then
    return 0
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[2], 'retry', ARGV[4], 'retry_at', now + ARGV[6])
redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[4], 'RETRYCOUNT', ARGV[5], 'JUSTID')
return 1
