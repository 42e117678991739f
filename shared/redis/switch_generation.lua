-- Makes another generation live, if we still hold the freeze that guards the switch, and Redis still has all that
-- was written to the generation.
-- KEYS[1]: the live generation. KEYS[2]: the freeze. KEYS[3]: how far the new generation has the log.
-- KEYS[4]: the same of the live one, for a rollback.
-- ARGV[1]: the freeze's token. ARGV[2]: the new generation. ARGV[3]: how far it must have the log, 0 for any.
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
return 1
