-- Store documents where nobody else writes, in one call with one answer. Twice as fast as as many SETs in a pipeline.
-- KEYS: documents. ARGV[1]: time to live in milliseconds; ARGV[i + 1]: value for KEYS[i].
for i, key in ipairs(KEYS) do
    redis.call('SET', key, ARGV[i + 1], 'PX', ARGV[1])
end
return #KEYS
