-- ARGV: ids.
for _, id in ipairs(ARGV) do
  local held = hold(id)
  if held then finish(id, held) end
end
save()
return redis.status_reply('OK')
