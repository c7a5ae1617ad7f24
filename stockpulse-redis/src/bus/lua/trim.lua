-- Drops the entries of a partition that are old enough and that every group is done with. A group of which nobody has
-- shown a sign of life for long does not count.
-- KEYS: stream, seen. ARGV: retention in ms, after how many ms a group does not count. Answers how many were dropped.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local groups = redis.pcall('XINFO', 'GROUPS', KEYS[1])
if groups.err then
    return 0
end
local ms, sequence = now - ARGV[1], 0
local function keep(id)
    local high, low = string.match(id, '(%d+)-(%d+)')
    high, low = tonumber(high), tonumber(low)
    if high < ms or (high == ms and low < sequence) then
        ms, sequence = high, low
    end
end
for _, fields in ipairs(groups) do
    local group = {}
    for i = 1, #fields, 2 do
        group[fields[i]] = fields[i + 1]
    end
    local seen = redis.call('HGET', KEYS[2], group.name)
    if not seen then
        redis.call('HSET', KEYS[2], group.name, now)
    end
    if not seen or seen + ARGV[2] > now then
        if group.pending > 0 then
            keep(redis.call('XPENDING', KEYS[1], group.name)[2])
        end
        keep(group['last-delivered-id'])
    end
end
return redis.call('XTRIM', KEYS[1], 'MINID', '~', string.format('%.0f-%.0f', math.max(ms, 0), sequence))
