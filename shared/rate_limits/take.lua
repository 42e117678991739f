-- Takes requests from rate limit buckets (GCRA), by Redis' own clock: all processes then agree on the time.
-- KEYS: a bucket each. Its value is the moment, in microseconds, at which it is full again; a key that does not
-- exist is a full bucket. ARGV[3i-2], ARGV[3i-1], ARGV[3i]: for KEYS[i] the microseconds in which one request comes
-- back, the requests of a full bucket, and how many requests to take; as many as there are get taken.
-- Returns the time and, for each key, the moment before, both as text. `take` in budget.py makes the same
-- decisions from them, and a test compares the two.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local answer = {string.format('%.0f', now)}
for i, key in ipairs(KEYS) do
    local interval = tonumber(ARGV[3 * i - 2])
    local span = interval * tonumber(ARGV[3 * i - 1])
    local full_at = tonumber(redis.call('GET', key) or '') or 0
    full_at = math.min(math.max(full_at, now), now + span)
    answer[i + 1] = string.format('%.0f', full_at)
    local taken = math.min(tonumber(ARGV[3 * i]), math.floor((now + span - full_at) / interval))
    if taken > 0 then
        full_at = full_at + taken * interval
        redis.call('SET', key, string.format('%.0f', full_at), 'PX', math.ceil((full_at - now) / 1000))
    end
end
return answer
