-- Makes another generation live, if we still hold the freeze that guards the switch, and Redis still has all that
-- was written to the generation.
-- KEYS[1]: the live generation. KEYS[2]: the freeze. KEYS[3]: how far the new generation has the log.
-- KEYS[4]: the same of the live one, for a rollback. KEYS[5]: the checkpoints of the cache.
-- ARGV[1]: the freeze's token. ARGV[2]: the new generation. ARGV[3]: how far it must have the log, 0 for any.
-- ARGV[4]: the id of the log.
-- Returns 1; 0 if the freeze has expired: then the new generation may lack writes; -1 if Redis lost some.
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
    return 0
end
local reached = tonumber(ARGV[3])
if reached > 0 and (tonumber(redis.call('GET', KEYS[3]) or '') or 0) < reached then
    return -1
end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('SET', KEYS[4], ARGV[3])
redis.call('DEL', KEYS[2])
if redis.call('HEXISTS', KEYS[5], 'epoch') == 0 then
    -- Redis was flushed, and no projector has looked since. The new generation is whole: without an epoch it would be
    -- taken for documents that have lost their checkpoints, and given up.
    local time = redis.call('TIME')
    local epoch = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
    redis.call('HSET', KEYS[5], 'epoch', epoch, 'log_id', ARGV[4])
end
return 1
