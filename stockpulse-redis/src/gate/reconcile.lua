-- ARGV: of each level name, sellable, and the version in 20 digits, which compare as text.
for i = 1, #ARGV, 3 do
  local name, sellable, version = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2]
  local known = level(name)
  if not known then
    levels[name] = { version, micros, micros, sellable, 0, 0 }
    changed[name] = true
  elseif version > known[VERSION] then
    -- What was sold since the version before is in this one, or will be in one of its own.
    known[VERSION], known[STAMP] = version, math.max(micros, known[STAMP] + 1)
    known[SELLABLE], known[SOLD] = sellable, 0
    changed[name] = true
  end
end
save()
return redis.status_reply('OK')
