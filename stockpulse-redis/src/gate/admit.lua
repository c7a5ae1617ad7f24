-- ARGV: of each request the id, its time to live in milliseconds, the number of lines, and of each line name and units.
-- Answers of each request: 1 it is let through, 2 it was before, 0 a level is not known, -n the line n is short.
local answers, slices = {}, {}

-- The place that it was given before, if it still has one.
local function before(id)
  local held = hold(id)
  if not held then return false end
  if held[UNTIL] > now then return true end
  finish(id, held)
  return false
end

local function judge(at, lines)
  for i = 0, lines - 1 do
    if not level(ARGV[at + 2 * i]) then return 0 end
  end
  for i = 0, lines - 1 do
    local known, units = level(ARGV[at + 2 * i]), tonumber(ARGV[at + 2 * i + 1])
    if units > 0 and known[SELLABLE] - known[HELD] - known[SOLD] < units then return -(i + 1) end
  end
  return 1
end

local at = 1
while ARGV[at] do
  local id, ttl, lines = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  at = at + 3
  local answer = before(id) and 2 or judge(at, lines)
  if answer == 1 then
    local held = { now + ttl, 0 }
    for i = 0, lines - 1 do
      local name, units = ARGV[at + 2 * i], tonumber(ARGV[at + 2 * i + 1])
      local known = level(name)
      known[HELD] = known[HELD] + units
      changed[name] = true
      held[3 * i + 3], held[3 * i + 4], held[3 * i + 5] = name, units, known[STAMP]
    end
    redis.call('SET', base .. 'h:' .. id, cmsgpack.pack(held))
    local number = math.floor(held[UNTIL] / SLICE)
    local slice = slices[number] or {}
    slice[#slice + 1] = id
    slices[number] = slice
  end
  answers[#answers + 1] = answer
  at = at + 2 * lines
end

for number, ids in pairs(slices) do
  local name = string.format('%.0f', number)
  if redis.call('RPUSH', base .. 'x:' .. name, unpack(ids)) == #ids then
    redis.call('ZADD', base .. 'x', number, name)
  end
end
save()
return answers
