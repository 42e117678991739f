-- Notes in Redis how far a generation has the log, if it still has what was noted before.
-- KEYS[1]: the mark of the generation, a log position. ARGV[1]: what was noted before, 0 for nothing.
-- ARGV[2]: the new position. Returns 0 if Redis lost the mark, and then perhaps documents, too.
local before = tonumber(ARGV[1])
if before > 0 and (tonumber(redis.call('GET', KEYS[1]) or '') or 0) < before then
    return 0
end
redis.call('SET', KEYS[1], ARGV[2])
return 1
