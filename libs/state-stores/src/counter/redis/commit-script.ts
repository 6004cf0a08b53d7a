import { script } from '../../redis/script.ts'

/**
 * The fold of `fold.ts` in Lua, as one atomic step of the server. What it must not get wrong:
 *
 * - A script that fails is not rolled back. So everything that can fail is looked at before the first write: the types
 *   of all keys, the form of all numbers. Short memory fails the first write or none (Redis checks it until a
 *   script has written).
 * - Lua's numbers are doubles. Values and versions stay strings: HINCRBY counts, HGET reads, `compare` compares digits.
 *   Only times, far below 2^53, are numbers.
 * - A batch that was sent twice, or whose sender has given up on it, is answered from its own key.
 * - Versions start from the server's microseconds, so that they do not come back either when a fail-over or a flush took
 *   the last one with it.
 *
 * KEYS: meta, names, expiring, tokens, token expiries, batch, then one per counter.
 * ARGV: now or '', token window, token limit, life of the batch's answer, prefix of counter keys, number of counters,
 * their names, then eleven fields per operation. The reply is the time, then one line per operation.
 */
export const commitScript = script(`
local meta, names, expiring, tokens, tokenExpiries, batch = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local window, maxTokens, counterPrefix, count = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[5], tonumber(ARGV[6])

local function fail(what) return redis.error_reply('BALLAST ' .. what) end
local function isType(key, expected)
  local found = redis.call('TYPE', key).ok
  return found == expected or found == 'none'
end
local function isInteger(text) return string.find(text, '^-?%d+$') ~= nil and #text <= 20 end
local function compare(a, b)
  local aNegative, bNegative = string.sub(a, 1, 1) == '-', string.sub(b, 1, 1) == '-'
  if aNegative ~= bNegative then return aNegative and -1 or 1 end
  if a == b then return 0 end
  local shorter = aNegative and 1 or -1
  if #a ~= #b then return #a < #b and shorter or -shorter end
  return a < b and shorter or -shorter
end

if not isType(batch, 'string') then return fail('the key of the batch is taken') end
local answered = redis.call('GET', batch)
if answered then return answered end

for key, expected in pairs({ [meta] = 'hash', [names] = 'zset', [expiring] = 'zset', [tokens] = 'hash', [tokenExpiries] = 'zset' }) do
  if not isType(key, expected) then return fail(key .. ' holds something else') end
end
local format = redis.call('HGET', meta, 'format')
if format and format ~= '1' then return fail('the counters have format ' .. format .. ', and this release writes 1') end
local version = redis.call('HGET', meta, 'version') or '0'
local seen = redis.call('HGET', meta, 'now') or '0'
if not isInteger(version) or not isInteger(seen) then return fail(meta .. ' is damaged') end

local now, micros = ARGV[1], ARGV[1] .. '000'
if now == '' then
  local time = redis.call('TIME')
  micros = time[1] .. string.format('%06d', time[2])
  now = string.sub(micros, 1, -4)
end
if compare(seen, now) > 0 then now = seen end
local nowMs = tonumber(now)

local counters = {}
for i = 1, count do
  local key = KEYS[6 + i]
  if not isType(key, 'hash') then return fail(key .. ' holds something else') end
  local fields = redis.call('HMGET', key, 'value', 'version', 'expiry')
  local counter = { key = key, name = ARGV[6 + i], expiry = '' }
  if fields[1] then
    if not isInteger(fields[1]) or not isInteger(fields[2] or '') or (fields[3] and not isInteger(fields[3])) then
      return fail(key .. ' is damaged')
    end
    if fields[3] and nowMs >= tonumber(fields[3]) then counter.stale = true
    else counter.value, counter.version, counter.expiry = fields[1], fields[2], fields[3] or '' end
  end
  counters[i] = counter
end

-- From here on it writes, and nothing fails any more but for want of memory, before anything is written.
local dueTokens = redis.call('ZRANGEBYSCORE', tokenExpiries, '-inf', now, 'LIMIT', 0, 1000)
if #dueTokens > 0 then
  redis.call('HDEL', tokens, unpack(dueTokens))
  redis.call('ZREM', tokenExpiries, unpack(dueTokens))
end
for _, name in ipairs(redis.call('ZRANGEBYSCORE', expiring, '-inf', now, 'LIMIT', 0, 200)) do
  redis.call('DEL', counterPrefix .. name)
  redis.call('ZREM', names, name)
  redis.call('ZREM', expiring, name)
end
if compare(micros, version) > 0 then version = micros end
redis.call('HSET', meta, 'format', '1', 'now', now, 'version', version)
for _, counter in ipairs(counters) do if counter.stale then redis.call('DEL', counter.key) end end
local liveTokens = redis.call('ZCOUNT', tokenExpiries, '(' .. now, '+inf')

local function refused(reason, counter)
  if not counter or not counter.value then return '-' .. reason end
  return table.concat({ '-' .. reason, counter.value, counter.version, counter.expiry }, ',')
end

-- Returns the new value, or nothing and the reason.
local function added(counter, by, min, max, saturate)
  local from = counter.value or '0'
  local isUp = string.sub(by, 1, 1) ~= '-' and by ~= '0'
  local bound = isUp and max or by ~= '0' and min or ''
  local result = redis.pcall('HINCRBY', counter.key, 'value', by)
  local overflow = type(result) == 'table' and result.err
  if overflow and not string.find(overflow, 'overflow') then error(overflow) end
  local to = not overflow and redis.call('HGET', counter.key, 'value')
  local crossed = bound ~= '' and (overflow or (isUp and compare(to, bound) > 0) or (not isUp and compare(to, bound) < 0))
  if not crossed then
    if overflow then return nil, 'overflow' end
    return to
  end
  local back = from
  if saturate then
    local order = compare(from, bound)
    if (isUp and order < 0) or (not isUp and order > 0) then back = bound end
  end
  if saturate or counter.value then redis.call('HSET', counter.key, 'value', back)
  elseif not overflow then redis.call('HDEL', counter.key, 'value') end
  if saturate then return back end
  return nil, 'bound'
end

local function execute(counter, kind, amount, min, max, saturate, expiry, ifVersion)
  -- An operation before this one may have set an expiry that has passed already.
  if counter.value and counter.expiry ~= '' and nowMs >= tonumber(counter.expiry) then
    redis.call('DEL', counter.key)
    counter.value, counter.expiry = nil, ''
  end
  if ifVersion == 'any' then
    if not counter.value then return refused('version', counter) end
  elseif ifVersion ~= '' and ifVersion ~= (counter.value and counter.version or '0') then
    return refused('version', counter)
  end
  local previous, value = counter.value or '0', nil
  if kind == 'remove' then
    if not counter.value then return refused('not-found', counter) end
    redis.call('DEL', counter.key)
  elseif kind == 'set' then
    redis.call('HSET', counter.key, 'value', amount)
    value = amount
    if min ~= '' and compare(min, redis.call('HGET', meta, 'version')) > 0 then redis.call('HSET', meta, 'version', min) end
  else
    local reason
    value, reason = added(counter, amount, min, max, saturate == '1')
    if not value then return refused(reason, counter) end
  end
  redis.call('HINCRBY', meta, 'version', 1)
  counter.changed, counter.value, counter.version = true, value, redis.call('HGET', meta, 'version')
  if not value or expiry == 'none' then counter.expiry = '' elseif expiry ~= '' then counter.expiry = expiry end
  return table.concat({ '+' .. (value or '0'), previous, counter.version, counter.expiry }, ',')
end

local mismatched = {}
local lines = { now }
for at = 7 + count, #ARGV, 11 do
  local counter = counters[tonumber(ARGV[at])]
  local token, fingerprint, request = ARGV[at + 8], ARGV[at + 9], ARGV[at + 10]
  local line
  local record = token ~= '' and redis.call('HGET', tokens, token)
  local expires, outcome, usedFor = string.match(record or '', '^(%d+)|([^|]*)|(.*)$')
  local isUsed = expires and nowMs < tonumber(expires)
  if token ~= '' and (mismatched[request] or (isUsed and usedFor ~= fingerprint)) then
    mismatched[request] = true
    line = '-token-mismatch'
  elseif isUsed then
    line = '=' .. outcome
  elseif token ~= '' and liveTokens >= maxTokens then
    line = '-token-window-full'
  else
    line = execute(counter, unpack(ARGV, at + 1, at + 7))
    if token ~= '' then
      local expiresAt = string.format('%.0f', nowMs + window)
      redis.call('HSET', tokens, token, expiresAt .. '|' .. line .. '|' .. fingerprint)
      redis.call('ZADD', tokenExpiries, expiresAt, token)
      liveTokens = liveTokens + 1
    end
  end
  lines[#lines + 1] = line
end

for _, counter in ipairs(counters) do
  if counter.value and counter.changed then
    redis.call('HSET', counter.key, 'version', counter.version)
    redis.call('ZADD', names, 0, counter.name)
    if counter.expiry == '' then
      redis.call('HDEL', counter.key, 'expiry')
      redis.call('ZREM', expiring, counter.name)
    else
      redis.call('HSET', counter.key, 'expiry', counter.expiry)
      redis.call('ZADD', expiring, counter.expiry, counter.name)
    end
  elseif counter.changed or counter.stale then
    redis.call('ZREM', names, counter.name)
    redis.call('ZREM', expiring, counter.name)
  end
end
local reply = table.concat(lines, '\\n')
redis.call('SET', batch, reply, 'PX', ARGV[4])
return reply
`)
