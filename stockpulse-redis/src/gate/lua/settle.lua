-- ARGV: ids. What was held is sold, if the level's figure is the one that it was taken from, or in the figure otherwise.
for _, id in ipairs(ARGV) do
  local held = place(id)
  if held and string.byte(held) == 104 then
    for stamp, units, name in string.gmatch(held, LINE) do
      local there, current = counts(stamp, name)
      if there and current then sold[name] = sold[name] + units end
      if there and not current then freed[name] = freed[name] + units end
    end
    call('SET', base .. 'h:' .. id, 's' .. string.sub(held, 2))
  end
end
save()
return redis.status_reply('OK')
