-- ARGV: ids.
for _, id in ipairs(ARGV) do
  local held = place(id)
  if held then finish(id, held) end
end
save()
return redis.status_reply('OK')
