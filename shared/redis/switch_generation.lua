-- Make another generation live, if the freeze that guards the switch is still ours.
-- KEYS[1]: the live generation. KEYS[2]: the freeze. ARGV[1]: the freeze's token. ARGV[2]: the new generation.
-- Answers 1, or 0 where the freeze has run out meanwhile: then writes may have been missed.
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
    return 0
end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('DEL', KEYS[2])
return 1
