package redisstore

import "github.com/redis/go-redis/v9"

// What is in Redis, all in one slot of a Cluster:
//
//	entries  hash        name of an entry: its times
//	ends     sorted set  name of an entry: Expires, to remove and to count entries by
//	log      stream      messages of what was published
//	head     string      the key of the last message
//
// A message has a random key k, the key p of the message before it, and entries. A reader
// that has read all messages up to p misses nothing when it reads k. If it finds another p,
// or another head while there is nothing to read, messages are lost to it: the stream was
// trimmed, or the server has restarted or failed over without them. It then reads the
// entries anew, and publishes those of its own that are not among them.

// publish adds entries. If its message is the last one, this is the same command again,
// whose reply was lost.
//
// It removes entries that ended more than 10 minutes ago by the clocks of both Redis and
// the caller: verifiers accept tokens until 5 minutes after exp.
//
// An IssuedBefore of more than 10 minutes from now is by a clock that is ahead. Each list
// that reads it counts it as in 5 minutes, so it must not stay: it would lock out again
// whenever a replica starts.
//
// ARGV: the message's key; the time; "entries", or "nomessage" to add no message, or "check" to
// add one without entries, after which readers compare the numbers of entries; and for each
// entry its name and its times.
var publish = redis.NewScript(`
local head, log, entries, ends = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local previous = redis.call('GET', head) or ''
if previous == ARGV[1] then return 0 end

local clock = tonumber(redis.call('TIME')[1]) * 1000
local now = math.min(tonumber(ARGV[2]), clock)
local ended = redis.call('ZRANGEBYSCORE', ends, '-inf', string.format('%.0f', now - 600000), 'LIMIT', 0, 200)
for _, name in ipairs(ended) do
	redis.call('ZREM', ends, name)
	redis.call('HDEL', entries, name)
end

local message = {'XADD', log, 'MAXLEN', '~', '1000', '*', 'k', ARGV[1], 'p', previous}
for i = 4, #ARGV, 2 do
	local name, before, expires = ARGV[i], string.match(ARGV[i + 1], '^(%d+) (%d+)$')
	before, expires = tonumber(before), tonumber(expires)
	if before < 253402300799000 then before = math.min(before, clock + 600000) end
	local old = redis.call('HGET', entries, name)
	if old then
		local b, e = string.match(old, '^(%d+) (%d+)$')
		if b then before, expires = math.max(before, tonumber(b)), math.max(expires, tonumber(e)) end
	end
	redis.call('HSET', entries, name, string.format('%.0f %.0f', before, expires))
	redis.call('ZADD', ends, string.format('%.0f', expires), name)
	message[#message + 1] = name
	message[#message + 1] = ARGV[i + 1]
end

if ARGV[3] == 'nomessage' then return 1 end
if ARGV[3] == 'check' then message = {'XADD', log, 'MAXLEN', '~', '1000', '*', 'k', ARGV[1], 'p', previous, 'check', '1'} end
redis.call(unpack(message))
redis.call('SET', head, ARGV[1])
return 1
`)

// state returns the head, the id of the last message, and the number of entries that expire
// after ARGV[2]. If there is no head, ARGV[1] becomes the head.
var state = redis.NewScript(`
local head = redis.call('GETRANGE', KEYS[1], 0, 63)
if head == '' then
	head = ARGV[1]
	redis.call('SET', KEYS[1], head)
end
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)
local id = '0-0'
if last[1] then id = last[1][1] end
return {head, id, redis.call('ZCOUNT', KEYS[3], '(' .. ARGV[2], '+inf')}
`)
