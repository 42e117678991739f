-- Makes another generation live, if we still hold the freeze that guards the switch.
-- KEYS[1]: the live generation. KEYS[2]: the freeze. ARGV[1]: the freeze's token. ARGV[2]: the new generation.
-- Returns 1, or 0 if the freeze has expired: then the new generation may lack writes.
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
    return 0
end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('DEL', KEYS[2])
return 1
