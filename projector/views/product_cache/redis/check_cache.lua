-- Whether the documents are as new as this process knows them to be; if so, raises the checkpoints.
-- KEYS[1]: the checkpoints, a hash of `epoch`, `log_id` and an offset for each partition, and of `reason` if
-- the cache was started anew. KEYS[2]: the live generation. KEYS[3]: the time of the last cache loss.
-- ARGV[1]: the id of the log. ARGV[2]: the newest epoch that this process has seen, or ''. ARGV[3]: '1' if the
-- offsets are of places, which a newer epoch does not excuse; '2' if the checkpoints are also set back to them.
-- ARGV[4]: the settling time in milliseconds.
-- Then three for each partition: its number; the next offset that it must have, or ''; the one that it has now.
-- Returns {what, epoch}; what is `as-known`, `empty`, `older`, `without-checkpoint` or `other-log`.
local epoch = redis.call('HGET', KEYS[1], 'epoch')
local known = tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if not epoch then
    if redis.call('EXISTS', KEYS[2], KEYS[3]) > 0 then
        return {'without-checkpoint', ''}
    end
    epoch = string.format('%.0f', math.max(now, (known or 0) + 1))
    redis.call('HSET', KEYS[1], 'epoch', epoch, 'log_id', ARGV[1])
    for i = 5, #ARGV, 3 do
        redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 2])
    end
    return {'empty', epoch}
end
if redis.call('HGET', KEYS[1], 'log_id') ~= ARGV[1] then
    return {'other-log', epoch}
end
if known and tonumber(epoch) < known then
    return {'older', epoch}
end
-- In a newer epoch the cache was started anew by another process, which did not know our partitions. Until they
-- are in the hash, an epoch that is young excuses them: its documents do not outlive the settling time.
local is_anew = known and tonumber(epoch) > known and ARGV[3] == ''
local is_young = now < tonumber(epoch) + tonumber(ARGV[4])
for i = 5, #ARGV, 3 do
    local required = tonumber(ARGV[i + 1])
    local stored = tonumber(redis.call('HGET', KEYS[1], ARGV[i]) or '')
    if required and not is_anew and not (stored == nil and is_young) and (stored or -1) < required then
        return {'older', epoch}
    end
end
for i = 5, #ARGV, 3 do
    local stored = tonumber(redis.call('HGET', KEYS[1], ARGV[i]) or '')
    if ARGV[3] == '2' or not stored or stored < tonumber(ARGV[i + 2]) then
        redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 2])
    end
end
return {'as-known', epoch}
