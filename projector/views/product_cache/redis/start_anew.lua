-- Makes an empty generation live, unless another process has done so since we looked.
-- KEYS[1]: the checkpoints. KEYS[2]: the live generation. KEYS[3]: the last generation that was given out.
-- KEYS[4]: the time of the last cache loss. KEYS[5]: the freeze of a switch, which then fails.
-- ARGV[1]: the epoch that we saw, or ''. ARGV[2]: the newest one that this process has seen, or ''. ARGV[3]: the
-- live generation that it has seen. ARGV[4]: the id of the log. ARGV[5]: the reason, for operators.
-- Returns {generation, epoch}, or {-1, epoch} if another process was faster.
local epoch = redis.call('HGET', KEYS[1], 'epoch') or ''
if epoch ~= ARGV[1] then
    return {-1, epoch}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function number(text)
    return tonumber(text or '') or 0
end
-- Above all that the lost data can have had, so that no process takes it for what it knew.
epoch = string.format('%.0f', math.max(now, number(epoch) + 1, number(ARGV[2]) + 1))
local generation = string.format('%.0f', math.max(
    number(redis.call('GET', KEYS[2])), number(redis.call('GET', KEYS[3])), number(ARGV[3])) + 1)
redis.call('DEL', KEYS[1], KEYS[5])
redis.call('HSET', KEYS[1], 'epoch', epoch, 'log_id', ARGV[4], 'reason', ARGV[5])
redis.call('SET', KEYS[2], generation)
redis.call('SET', KEYS[3], generation)
redis.call('SET', KEYS[4], string.format('%.0f', now))
return {tonumber(generation), epoch}
