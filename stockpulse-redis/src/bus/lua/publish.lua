-- Appends events to a partition. An event that was appended within the window is not appended again.
-- KEYS: stream, ids. ARGV: window in ms; for each event its id, how many texts follow, and those: names and values.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local window = tonumber(ARGV[1])
if window > 0 then
    redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - window)
end
local i = 2
while i <= #ARGV do
    local id, texts = ARGV[i], tonumber(ARGV[i + 1])
    if window == 0 or not redis.call('ZSCORE', KEYS[2], id) then
        redis.call('XADD', KEYS[1], '*', unpack(ARGV, i + 2, i + 1 + texts))
        -- After the event: were it before, a failure between the two would lose the event.
        if window > 0 then
            redis.call('ZADD', KEYS[2], now, id)
        end
    end
    i = i + 2 + texts
end
if window > 0 then
    redis.call('PEXPIRE', KEYS[2], window)
end
return 1
