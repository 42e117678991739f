-- Store a document only over an older one: late events, replays and stale cache fills lose.
-- KEYS: documents. ARGV[1]: time to live in milliseconds; ARGV[i + 1]: packed value for KEYS[i]
-- (16 digits of stream version, one flag byte, body; see shared/contract/cached_document.py).
-- The digits are zero-padded, so comparing the prefixes as strings compares the versions.
-- Answers how many were stored.
local stored = 0
for i, key in ipairs(KEYS) do
    local value = ARGV[i + 1]
    local current = redis.call('GETRANGE', key, 0, 15)
    if current == '' or current < string.sub(value, 1, 16) then
        redis.call('SET', key, value, 'PX', ARGV[1])
        stored = stored + 1
    end
end
return stored
