-- Reserves the number of a new generation, if it is newer than all that were given out or made live.
-- KEYS[1]: the last generation that was given out. KEYS[2]: the live generation. ARGV[1]: the number.
-- Returns 1, or 0: another process was faster.
local number = tonumber(ARGV[1])
if (tonumber(redis.call('GET', KEYS[1]) or '') or 0) >= number
    or (tonumber(redis.call('GET', KEYS[2]) or '') or 0) >= number then
    return 0
end
redis.call('SET', KEYS[1], ARGV[1])
return 1
