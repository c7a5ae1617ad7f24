-- KEYS: of each entry the value's key, then the floor's.
-- ARGV: of each entry the record, whose first 20 characters are the version, then how long it lives in milliseconds.
-- Versions have 20 digits, so they compare as text: a number in Lua is exact up to 2^53 only.
for i = 1, #KEYS, 2 do
  local version = string.sub(ARGV[i], 1, 20)
  local there = redis.call('GETRANGE', KEYS[i], 0, 19)
  if version >= there and version >= (redis.call('GET', KEYS[i + 1]) or '') then
    redis.call('SET', KEYS[i], ARGV[i], 'PX', ARGV[i + 1])
  end
end
return redis.status_reply('OK')
