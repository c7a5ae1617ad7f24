-- ARGV: ids. What was held is sold, if the level's figure is the one that it was taken from, or in the figure otherwise.
for _, id in ipairs(ARGV) do
  local held = hold(id)
  if held and held[UNTIL] > now and held[SETTLED] == 0 then
    for i = 3, #held, 3 do
      local name, units, stamp = held[i], held[i + 1], held[i + 2]
      local known = level(name)
      if known and stamp >= known[BIRTH] then
        known[HELD] = known[HELD] - units
        if stamp == known[STAMP] then known[SOLD] = known[SOLD] + units end
        changed[name] = true
      end
    end
    held[SETTLED] = 1
    redis.call('SET', base .. 'h:' .. id, cmsgpack.pack(held))
  end
end
save()
return redis.status_reply('OK')
