-- Ends places whose time is over, some at a time.
-- ARGV: how many milliseconds a slice has, how many places to end at most.
-- Answers the milliseconds of the server's clock, and 1 if there may be more.
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local slice = call('ZRANGE', base .. 'x', 0, 0)[1]
if not slice or (slice + 1) * ARGV[1] > now then return { now, 0 } end
local ids = call('LPOP', base .. 'x:' .. slice, ARGV[2]) or {}
for _, id in ipairs(ids) do
  local held = place(id)
  -- One that was released may have come again, and end later.
  if held and tonumber(string.match(held, '%d+')) <= tonumber(slice) then finish(id, held) end
end
if #ids < tonumber(ARGV[2]) then call('ZREM', base .. 'x', slice) end
save()
return { now, 1 }
