-- Appends a dead letter to its partition again, for its group alone.
-- KEYS: stream, dead letters. ARGV: group, id. Answers whether it was there.
local letter = redis.call('XRANGE', KEYS[2], ARGV[2], ARGV[2])[1]
if not letter then
    return 0
end
local fields, again = letter[2], { 'replay.group', ARGV[1] }
for i = 1, #fields, 2 do
    if fields[i] == 'dead.deliveries' then
        again[#again + 1] = 'replay.deliveries'
        again[#again + 1] = fields[i + 1]
    elseif string.sub(fields[i], 1, 5) ~= 'dead.' then
        again[#again + 1] = fields[i]
        again[#again + 1] = fields[i + 1]
    end
end
redis.call('XADD', KEYS[1], '*', unpack(again))
redis.call('XDEL', KEYS[2], ARGV[2])
return 1
