-- A member joins its group, or shows that it is alive. Members whose time has run out are removed.
-- KEYS: group. ARGV: member, lease in ms, event types. Answers who is alive; nobody if the member may not join.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local fields = redis.call('HGETALL', KEYS[1])
local types, known, living = '', false, {}
for i = 1, #fields, 2 do
    local name, value = fields[i], fields[i + 1]
    if name == 'types' then
        types = value
    elseif name == ARGV[1] then
        known = true
    elseif tonumber(value) > now then
        living[#living + 1] = name
    else
        redis.call('HDEL', KEYS[1], name)
    end
end
if not known and #living > 0 and types ~= ARGV[3] then
    return {}
end
redis.call('HSET', KEYS[1], 'types', ARGV[3], ARGV[1], now + ARGV[2])
living[#living + 1] = ARGV[1]
return living
