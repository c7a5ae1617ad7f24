-- Gives a partition back. KEYS: lease. ARGV: member. Somebody else's lease stays.
if redis.call('HGET', KEYS[1], 'owner') == ARGV[1] then
    redis.call('HDEL', KEYS[1], 'owner', 'until')
end
return 1
