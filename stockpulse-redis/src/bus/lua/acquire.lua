-- Takes a partition for a member, unless another one's lease holds. What earlier owners received and did not acknowledge
-- is claimed.
-- KEYS: stream, lease, seen. ARGV: group, member, lease in ms.
-- Answers nothing, or the generation, the last entry that the group has read, and which entry waits for how many ms.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease = redis.call('HMGET', KEYS[2], 'owner', 'until', 'generation', 'retry', 'retry_at')
if lease[1] and lease[1] ~= ARGV[2] and tonumber(lease[2]) > now then
    return {}
end
-- A group that was lost with the server's data begins with the oldest: whatever there is came afterwards.
local made = redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
if made.err and not string.find(made.err, 'BUSYGROUP', 1, true) then
    return made
end
-- By the clock, so that it grows even if the lease itself was lost.
local generation = math.max((tonumber(lease[3]) or 0) + 1, now)
redis.call('HSET', KEYS[2], 'owner', ARGV[2], 'until', now + ARGV[3], 'generation', generation, 'turn', 0)
redis.call('HSET', KEYS[3], ARGV[1], now)
local start = '0-0'
repeat
    local claimed = redis.call('XAUTOCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, start, 'COUNT', 1000, 'JUSTID')
    start = claimed[1]
until start == '0-0'
for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
    if consumer[2] ~= ARGV[2] and consumer[4] == 0 then
        redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], consumer[2])
    end
end
local last = '0-0'
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
    if group[2] == ARGV[1] then
        for i = 1, #group, 2 do
            if group[i] == 'last-delivered-id' then
                last = group[i + 1]
            end
        end
    end
end
local wait = math.max((tonumber(lease[5]) or 0) - now, 0)
return { generation, last, lease[4] or '', wait }
