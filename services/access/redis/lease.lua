-- Takes tokens out of the bucket KEYS[1].
-- ARGV: tokens per second, size of the bucket, tokens wanted, least tokens that are of use.
-- Answers tokens taken, or 0 and the microseconds until there are enough.
local rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local want, least = tonumber(ARGV[3]), tonumber(ARGV[4])

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = tonumber(bucket[1]) or burst
-- A clock that was set back, or that of another server after a failover, lets nothing in.
local passed = math.max(now - (tonumber(bucket[2]) or now), 0)
tokens = math.min(tokens + passed * rate / 1000000, burst)

-- Fractions are rounded; a billionth of a token must not refuse a call.
local taken, wait = math.min(want, math.floor(tokens + 1e-9)), 0
if taken < least then
  taken, wait = 0, math.ceil((least - tokens) / rate * 1000000)
end
tokens = math.max(tokens - taken, 0)

redis.call('HSET', KEYS[1], 'tokens', string.format('%.9f', tokens), 'at', string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.ceil((burst - tokens) / rate * 1000) + 1000))
return {taken, wait}
