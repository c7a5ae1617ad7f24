-- What the scripts about places share. KEYS[1] is the base of all names of a shard; the names that are made of it have its
-- hash tag, and so lie in the same slot.
--
-- base..'l:'..name    a level: version, stamp, birth, sellable, free
-- base..'h:'..id      a place: 'h' or, when it is settled, 's'; the slice of time in which it ends; and of each line
--                     stamp, units and name, each behind a separator
-- base..'x:'..slice   the ids whose places end in that slice
-- base..'x'           the slices that there are, by number
--
-- Sellable is what the database said, less what was sold since. Free is what of that nobody holds. A stamp tells the figures
-- of a level apart: each newer version gets a greater one. Birth is the stamp of the first: a place from before it was taken
-- from a level that was lost since.
local call, base = redis.call, KEYS[1]
local LINE = '\30([^\30]+)\30([^\30]+)\30([^\30]+)'
local known, sold, freed = {}, {}, {}

local function place(id)
  return call('GET', base .. 'h:' .. id)
end

-- Whether a line counts at its level still, and whether the level's figure is the one that it was taken from.
local function counts(stamp, name)
  local level = known[name]
  if not level then
    level = call('HMGET', base .. 'l:' .. name, 'stamp', 'birth')
    known[name], sold[name], freed[name] = level, 0, 0
  end
  return level[1] and tonumber(stamp) >= tonumber(level[2]), stamp == level[1]
end

-- Gives back what a place has, and forgets it.
local function finish(id, held)
  local settled = string.byte(held) == 115
  for stamp, units, name in string.gmatch(held, LINE) do
    local there, current = counts(stamp, name)
    if there and (current or not settled) then
      freed[name] = freed[name] + units
      if settled then sold[name] = sold[name] - units end
    end
  end
  call('DEL', base .. 'h:' .. id)
end

local function save()
  for name in pairs(known) do
    local level = base .. 'l:' .. name
    if sold[name] ~= 0 then call('HINCRBY', level, 'sellable', -sold[name]) end
    if freed[name] ~= 0 then call('HINCRBY', level, 'free', freed[name]) end
  end
end
