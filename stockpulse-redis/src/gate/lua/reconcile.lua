-- Tells levels. The page of names is in places.lua.
-- ARGV: of each level name, sellable, and the version in 20 digits, which compare as text.
local time = redis.call('TIME')
local micros = time[1] * 1000000 + time[2]
for i = 1, #ARGV, 3 do
  local key, sellable, version = KEYS[1] .. 'l:' .. ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local known = redis.call('HMGET', key, 'version', 'stamp', 'sellable', 'free')
  if not known[1] then
    local stamp = string.format('%.0f', micros)
    redis.call('HSET', key, 'version', version, 'stamp', stamp, 'birth', stamp, 'sellable', sellable, 'free', sellable)
  elseif version > known[1] then
    -- What was sold since the version before is in this one, or will be in one of its own.
    local stamp = string.format('%.0f', math.max(micros, known[2] + 1))
    local free = string.format('%.0f', sellable - known[3] + known[4])
    redis.call('HSET', key, 'version', version, 'stamp', stamp, 'sellable', sellable, 'free', free)
  end
end
return redis.status_reply('OK')
