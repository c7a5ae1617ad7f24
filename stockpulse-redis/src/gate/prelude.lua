-- What the scripts of the gate share. KEYS[1] is the base of all names of a shard; the names that are made of it have its
-- hash tag, and so lie in the same slot.
--
-- base..'l:'..name    a level: version, birth, stamp, sellable, held, sold
-- base..'h:'..id      a hold: until, settled, and of each line: name, units, stamp
-- base..'x:'..number  the ids of the holds that end within that slice of time
-- base..'x'           the slices that there are, by number
--
-- What is free of a level is sellable - held - sold. A stamp tells the figures of a level apart: each newer version gets a
-- greater one. Birth is the stamp of the first: a hold from before it was taken from a level that was lost since.
local base = KEYS[1]
local time = redis.call('TIME')
local micros = time[1] * 1000000 + time[2]
local now = math.floor(micros / 1000)
local VERSION, BIRTH, STAMP, SELLABLE, HELD, SOLD = 1, 2, 3, 4, 5, 6
local UNTIL, SETTLED = 1, 2
local SLICE, SWEEP = 250, 100

local levels, changed = {}, {}

local function level(name)
  local known = levels[name]
  if known == nil then
    local stored = redis.call('GET', base .. 'l:' .. name)
    known = stored and cmsgpack.unpack(stored) or false
    levels[name] = known
  end
  return known
end

local function save()
  for name in pairs(changed) do
    redis.call('SET', base .. 'l:' .. name, cmsgpack.pack(levels[name]))
  end
end

local function hold(id)
  local stored = redis.call('GET', base .. 'h:' .. id)
  return stored and cmsgpack.unpack(stored) or nil
end

-- Gives back what a hold has, and forgets it.
local function finish(id, held)
  for i = 3, #held, 3 do
    local name, units, stamp = held[i], held[i + 1], held[i + 2]
    local known = level(name)
    if known and stamp >= known[BIRTH] then
      if held[SETTLED] == 0 then
        known[HELD] = known[HELD] - units
        changed[name] = true
      elseif stamp == known[STAMP] then
        known[SOLD] = known[SOLD] - units
        changed[name] = true
      end
    end
  end
  redis.call('DEL', base .. 'h:' .. id)
end

-- Ends what has run out, some at a time.
local function sweep()
  local first = redis.call('ZRANGE', base .. 'x', 0, 0)[1]
  if not first or (first + 1) * SLICE > now then return end
  local slice = base .. 'x:' .. first
  local ids = redis.call('LPOP', slice, SWEEP) or {}
  for _, id in ipairs(ids) do
    local held = hold(id)
    if held and held[UNTIL] <= now then finish(id, held) end
  end
  if #ids < SWEEP then
    redis.call('DEL', slice)
    redis.call('ZREM', base .. 'x', first)
  end
end

sweep()
