-- KEYS: of each entry the value's key, then the floor's. ARGV[1]: how long floors last, in milliseconds; then the floors.
for i = 1, #KEYS, 2 do
  local floor, ttl = ARGV[(i + 1) / 2 + 1], tonumber(ARGV[1])
  local there = redis.call('GETRANGE', KEYS[i], 0, 19)
  if there > floor then floor = there end
  local before = redis.call('GET', KEYS[i + 1])
  if before then
    if before > floor then floor = before end
    ttl = math.max(ttl, redis.call('PTTL', KEYS[i + 1]))
  end
  redis.call('DEL', KEYS[i])
  redis.call('SET', KEYS[i + 1], floor, 'PX', ttl)
end
return redis.status_reply('OK')
