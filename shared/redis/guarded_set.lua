-- Stores a document only over an older one, so that late events, replays and stale cache fills change nothing.
-- KEYS[1]: the live generation. KEYS[2]: exists during a switch. KEYS[3]: the time of the last cache loss, in
-- milliseconds. KEYS[4] and more: documents.
-- ARGV[1]: the generation of the keys, or '' for no check (a rebuild writes beside the live generation).
-- ARGV[2]: time to live in milliseconds. ARGV[3]: the settling time in milliseconds. ARGV[i]: packed value for
-- KEYS[i] (16 digits of stream version, one flag byte, body; see shared/contract/cached_document.py). The digits
-- are zero-padded, so comparing the prefixes as strings compares the versions.
-- Returns how many were stored; -1: another generation is live; -2: a switch is in progress.
local lifetime = tonumber(ARGV[2])
local lifetime_of_documents = lifetime
if ARGV[1] ~= '' then
    if (redis.call('GET', KEYS[1]) or '0') ~= ARGV[1] then
        return -1
    end
    if redis.call('EXISTS', KEYS[2]) == 1 then
        return -2
    end
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    local since = tonumber(redis.call('GET', KEYS[3]) or '')
    if not since then
        since = now
        redis.call('SET', KEYS[3], string.format('%.0f', now))
    end
    local settling = tonumber(ARGV[3])
    if now < since + settling and settling < lifetime then
        lifetime_of_documents = settling
    end
end
local stored = 0
for i = 4, #KEYS do
    local value = ARGV[i]
    local current = redis.call('GETRANGE', KEYS[i], 0, 15)
    if current == '' or current < string.sub(value, 1, 16) then
        -- A tombstone is never too old: no event follows a deletion.
        local is_document = string.sub(value, 17, 17) == 'L'
        redis.call('SET', KEYS[i], value, 'PX', is_document and lifetime_of_documents or lifetime)
        stored = stored + 1
    end
end
return stored
