-- Puts an entry aside: acknowledged, and with the group's dead letters, or neither.
-- KEYS: stream, lease, dead letters. ARGV: group, member, generation, id, deliveries, reason. Answers as `settle` does.
local lease = redis.call('HMGET', KEYS[2], 'owner', 'generation')
if lease[1] ~= ARGV[2] or lease[2] ~= ARGV[3] then
    return 0
end
-- Once, however often this is asked.
if redis.call('XACK', KEYS[1], ARGV[1], ARGV[4]) == 1 then
    local entry = redis.call('XRANGE', KEYS[1], ARGV[4], ARGV[4])[1]
    if entry then
        local kept = { 'dead.origin', ARGV[4], 'dead.deliveries', ARGV[5], 'dead.reason', ARGV[6] }
        local fields = entry[2]
        for i = 1, #fields, 2 do
            if string.sub(fields[i], 1, 7) ~= 'replay.' then
                kept[#kept + 1] = fields[i]
                kept[#kept + 1] = fields[i + 1]
            end
        end
        redis.call('XADD', KEYS[3], '*', unpack(kept))
    end
end
return 1
