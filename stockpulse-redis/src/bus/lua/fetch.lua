-- Reads entries for a partition's owner: those that were read before and are pending, behind one of them, or new ones.
-- What the group does not want is acknowledged and left out.
-- KEYS: stream, lease. ARGV: group, member, generation, turn, the entry behind which to read pending ones or nothing, how
-- many, types.
-- Answers nothing if the partition is somebody else's now; or how many there were (-1 if a later turn came first), the
-- last of them, and the entries: id, deliveries, fields.
local group, member = ARGV[1], ARGV[2]
local lease = redis.call('HMGET', KEYS[2], 'owner', 'generation', 'turn')
if lease[1] ~= member or lease[2] ~= ARGV[3] then
    return {}
end
-- A call that was given up may still run. After the one that came instead it must not: nobody would hear of its entries.
if tonumber(lease[3]) >= tonumber(ARGV[4]) then
    return { -1, '', {} }
end
local wanted = {}
for i = 7, #ARGV do
    wanted[ARGV[i]] = true
end
local function is_wanted(fields)
    local kind, only
    for i = 1, #fields, 2 do
        if fields[i] == 'type' then
            kind = fields[i + 1]
        elseif fields[i] == 'replay.group' then
            only = fields[i + 1]
        end
    end
    return (kind == nil or wanted[kind]) and (only == nil or only == group)
end
local entries, done, last, count = {}, {}, '', 0
local function take(id, deliveries, fields)
    if fields and is_wanted(fields) then
        entries[#entries + 1] = { id, deliveries, fields }
    else
        done[#done + 1] = id
    end
end
if ARGV[5] ~= '' then
    redis.call('HSET', KEYS[2], 'turn', ARGV[4])
    local pending = redis.pcall('XPENDING', KEYS[1], group, '(' .. ARGV[5], '+', ARGV[6])
    if pending.err then
        return string.find(pending.err, 'NOGROUP', 1, true) and {} or pending
    end
    count = #pending
    if count > 0 then
        local ids, fields = {}, {}
        for i, entry in ipairs(pending) do
            ids[i] = entry[1]
        end
        last = ids[count]
        for _, entry in ipairs(redis.call('XCLAIM', KEYS[1], group, member, 0, unpack(ids))) do
            if entry then
                fields[entry[1]] = entry[2]
            end
        end
        for _, entry in ipairs(pending) do
            take(entry[1], entry[4], fields[entry[1]])
        end
    end
else
    local read =
        redis.pcall('XREADGROUP', 'GROUP', group, member, 'COUNT', ARGV[6], 'STREAMS', KEYS[1], '>')
    if read and read.err then
        return string.find(read.err, 'NOGROUP', 1, true) and {} or read
    end
    if read then
        redis.call('HSET', KEYS[2], 'turn', ARGV[4])
        local found = read[1][2]
        count = #found
        last = found[count][1]
        for _, entry in ipairs(found) do
            take(entry[1], 0, entry[2])
        end
    end
end
if #done > 0 then
    redis.call('XACK', KEYS[1], group, unpack(done))
end
return { count, last, entries }
