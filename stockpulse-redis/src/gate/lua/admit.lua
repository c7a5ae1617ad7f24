-- Gives places. The page of names is in places.lua.
-- ARGV: of each request the id, the slice of time in which its place ends, the number of lines, and of each line the level's
-- name and units.
-- Answers of each request: 1 it has a place, 2 it had one before, 0 a level is not known, -n the line n is short.
local call, base = redis.call, KEYS[1]
local answers, found, free, stamps, slices = {}, {}, {}, {}, {}

local at = 1
while ARGV[at] do
  local id, slice = ARGV[at], ARGV[at + 1]
  local first, last = at + 3, at + 1 + 2 * ARGV[at + 2]
  at = last + 2
  local answer, place = 1, 'h' .. slice
  for i = first, last, 2 do
    local name, units = ARGV[i], tonumber(ARGV[i + 1])
    local left = free[name]
    if left == nil then
      local level = call('HMGET', base .. 'l:' .. name, 'free', 'stamp')
      left = level[1] and tonumber(level[1])
      found[name], free[name], stamps[name] = left, left, level[2]
    end
    if not left then
      answer = 0
      break
    end
    if answer == 1 and units > 0 and left < units then answer = -(i - first) / 2 - 1 end
    place = place .. '\30' .. stamps[name] .. '\30' .. ARGV[i + 1] .. '\30' .. name
  end
  local key = base .. 'h:' .. id
  if answer < 1 then
    if call('EXISTS', key) == 1 then answer = 2 end
  elseif call('SET', key, place, 'NX') then
    for i = first, last, 2 do
      free[ARGV[i]] = free[ARGV[i]] - ARGV[i + 1]
    end
    local ids = slices[slice]
    if ids then ids[#ids + 1] = id else slices[slice] = { id } end
  else
    answer = 2
  end
  answers[#answers + 1] = answer
end

for name, left in pairs(free) do
  if left ~= found[name] then call('HINCRBY', base .. 'l:' .. name, 'free', left - found[name]) end
end
for slice, ids in pairs(slices) do
  if call('RPUSH', base .. 'x:' .. slice, unpack(ids)) == #ids then call('ZADD', base .. 'x', slice, slice) end
end
return answers
