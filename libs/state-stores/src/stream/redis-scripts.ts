import { script } from '../redis/script.ts'
import { entryVersion } from './redis-entry.ts'
import { alsoWhenFull, prelude } from './redis-prelude.ts'

/** From 4: bounds on entries, bytes and age; then for each entry documents, first id or nothing, body, checksum. Answers the bound that refused it, or nothing. */
export const appendScript = script(`${prelude}
local maxEntries, maxBytes, maxAge = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local length, bytes, age = redis.call('XLEN', stream), counted('bytes'), oldestAge()
local outcomes, entries, documents, added = {}, 0, 0, 0
for i = 7, #ARGV, 4 do
  local count, firstId, body, sum = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  if length + 1 > maxEntries then outcomes[#outcomes + 1] = 'entries'
  elseif bytes + #body > maxBytes then outcomes[#outcomes + 1] = 'bytes'
  elseif age > maxAge then outcomes[#outcomes + 1] = 'age'
  else
    local id = redis.call('XADD', stream, simulated and ARGV[1] .. '-*' or '*', 'v', '${entryVersion}', 'n', count, 'f', firstId, 'b', body, 'c', sum)
    if firstId ~= '' then
      redis.call('ZADD', index .. string.sub(firstId, 9, 18), tonumber(string.sub(firstId, 19), 16), id)
    end
    length, bytes = length + 1, bytes + #body
    entries, documents, added = entries + 1, documents + tonumber(count), added + #body
    outcomes[#outcomes + 1] = ''
  end
end
if entries > 0 then
  redis.call('HINCRBY', state, 'entries', entries)
  redis.call('HINCRBY', state, 'documents', documents)
  redis.call('HINCRBY', state, 'bytes', added)
  redis.call('HINCRBY', state, 'appendedDocuments', documents)
end
return outcomes
`)

/**
 * From 4: consumer, most entries, most bytes, claim time-out in ms. Answers the entries handed out (id, delivery,
 * takeovers, fields), how many entries were found to be removed by somebody else, and the last id ever handed out. While
 * another consumer occupies the queue: nothing, and that newer entries are to be waited for.
 */
export const claimScript = script(`${alsoWhenFull}${prelude}
local consumer, maxEntries, maxBytes, timeout = ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local taken, bytes, full, lost = {}, 0, maxEntries < 1, 0

local occupant = redis.call('HGET', state, 'occupant')
if occupant then
  local age = now - counted('occupantSeenMs')
  if occupant ~= consumer and age <= timeout then return { {}, 0, '$' } end
  if occupant == consumer and age > timeout / 4 then redis.call('HSET', state, 'occupantSeenMs', now) end
end

local function room(fields)
  local size = 0
  for i = 1, #fields, 2 do
    if fields[i] == 'b' or fields[i] == 'data' then size = size + #fields[i + 1] end
  end
  bytes = bytes + size
  full = #taken >= maxEntries or (#taken > 0 and bytes > maxBytes)
  return not full
end

local function again(id, owner, delivery)
  local entry = redis.call('XRANGE', stream, id, id)[1]
  if not entry then
    redis.call('XACK', stream, group, id)
    redis.call('HDEL', takeovers, id)
    redis.call('HINCRBY', state, 'entries', -1)
    lost = lost + 1
  elseif room(entry[2]) then
    redis.call('XCLAIM', stream, group, consumer, 0, id, 'TIME', now, 'RETRYCOUNT', delivery + 1, 'JUSTID')
    if owner ~= consumer and owner ~= nobody and owner ~= parked then redis.call('HINCRBY', takeovers, id, 1) end
    taken[#taken + 1] = { id, delivery + 1, tonumber(redis.call('HGET', takeovers, id) or 0), entry[2] }
  end
end

local function pending(...)
  return full and {} or redis.call('XPENDING', stream, group, ...)
end

local function before(a, b)
  local aMs, aSeq = string.match(a[1], '(%d+)-(%d+)')
  local bMs, bSeq = string.match(b[1], '(%d+)-(%d+)')
  if aMs ~= bMs then return tonumber(aMs) < tonumber(bMs) end
  return tonumber(aSeq) < tonumber(bSeq)
end

for _, item in ipairs(pending('-', '+', maxEntries, consumer)) do
  if not full then again(item[1], item[2], item[4]) end
end

local abandoned = pending('-', '+', maxEntries, nobody)
for _, item in ipairs(pending('IDLE', math.max(1, timeout + 1 + server - now), '-', '+', maxEntries)) do
  if item[2] ~= consumer and item[2] ~= nobody then abandoned[#abandoned + 1] = item end
end
table.sort(abandoned, before)
for _, item in ipairs(abandoned) do
  if not full then again(item[1], item[2], item[4]) end
end

local last = lastDelivered()
while not full do
  local found = redis.call('XRANGE', stream, '(' .. last, '+', 'COUNT', math.min(16, maxEntries))
  local count = 0
  for _, entry in ipairs(found) do
    if not full and room(entry[2]) then
      taken[#taken + 1] = { entry[1], 1, 0, entry[2] }
      count, last = count + 1, entry[1]
    end
  end
  if count > 0 then
    redis.call('XREADGROUP', 'GROUP', group, consumer, 'COUNT', count, 'STREAMS', stream, '>')
    for i = #taken - count + 1, simulated and #taken or 0 do
      redis.call('XCLAIM', stream, group, consumer, 0, taken[i][1], 'TIME', now, 'RETRYCOUNT', 1, 'JUSTID')
    end
  end
  if #found < 16 then break end
end

local missing = counted('entries') - redis.call('XLEN', stream)
if missing > 0 then
  redis.call('HINCRBY', state, 'entries', -missing)
  lost = lost + missing
end
if lost > 0 then redis.call('HINCRBY', state, 'lost', lost) end
return { taken, lost, last }
`)

/** From 4: acknowledge, bury, release or park; then for each claim entry, owner, delivery, number of letters, and for each letter id, reason, body. Answers 1 or 0 a claim. */
export const settleScript = script(`${alsoWhenFull}${prelude}
local function keep(id, reason, body, delivery, entry)
  local stored = redis.call('HGET', dead, id)
  if stored then
    local length, start = string.match(stored, '^1 %d+ %d+ (%d+)\\n()')
    if string.sub(stored, start + length) == body then return end
    id = id .. '/' .. entry
  end
  redis.call('HSET', dead, id, '1 ' .. now .. ' ' .. delivery .. ' ' .. #reason .. '\\n' .. reason .. body)
  redis.call('ZADD', deadIds, 0, id)
end

local function remove(id)
  local entry = redis.call('XRANGE', stream, id, id)[1]
  redis.call('XACK', stream, group, id)
  redis.call('XDEL', stream, id)
  redis.call('HDEL', takeovers, id)
  if not entry then return end
  local fields = fieldsOf(entry[2])
  local documents, bytes = 1, #(fields['data'] or '')
  if isOurs(fields) then
    documents, bytes = tonumber(fields['n']), #fields['b']
    redis.call('HINCRBY', state, 'entries', -1)
    redis.call('HINCRBY', state, 'documents', -documents)
    redis.call('HINCRBY', state, 'bytes', -bytes)
    if fields['f'] ~= '' then redis.call('ZREM', index .. string.sub(fields['f'], 9, 18), id) end
  else
    redis.call('HINCRBY', state, 'appendedDocuments', documents)
  end
  redis.call('HINCRBY', state, 'settledDocuments', documents)
  redis.call('HINCRBY', state, 'settledBytes', bytes)
end

local outcomes, i = {}, 5
while i <= #ARGV do
  local id, owner, delivery, letters = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3])
  i = i + 4
  local held = redis.call('XPENDING', stream, group, id, id, 1)[1]
  local settled = held and held[2] == owner and held[4] == delivery
  if settled and (ARGV[4] == 'release' or ARGV[4] == 'park') then
    redis.call('XCLAIM', stream, group, ARGV[4] == 'park' and parked or nobody, 0, id, 'TIME', now, 'RETRYCOUNT', delivery, 'JUSTID')
  elseif settled then
    for letter = i, i + 3 * letters - 1, 3 do keep(ARGV[letter], ARGV[letter + 1], ARGV[letter + 2], delivery, id) end
    remove(id)
  end
  i = i + 3 * letters
  outcomes[#outcomes + 1] = settled and 1 or 0
end
-- What others removed cannot be subtracted by size; an empty queue is where the sums are right again.
if redis.call('XLEN', stream) == 0 then redis.call('HSET', state, 'entries', 0, 'documents', 0, 'bytes', 0) end
return outcomes
`)

/**
 * From 4: bounds on entries, bytes and age; then for each letter its id and the first id of its entry or nothing. Answers
 * "replayed", "unknown" or the bound that refused it.
 */
export const replayScript = script(`${prelude}
local maxEntries, maxBytes, maxAge = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local outcomes, age = {}, oldestAge()
for i = 7, #ARGV, 2 do
  local id, firstId, outcome = ARGV[i], ARGV[i + 1], 'replayed'
  local stored = redis.call('HGET', dead, id)
  local length, start = string.match(stored or '', '^1 %d+ %d+ (%d+)\\n()')
  local body = length and string.sub(stored, start + length)
  if not body then outcome = 'unknown'
  elseif redis.call('XLEN', stream) + 1 > maxEntries then outcome = 'entries'
  elseif counted('bytes') + #body > maxBytes then outcome = 'bytes'
  elseif age > maxAge then outcome = 'age'
  else
    local entry = redis.call('XADD', stream, simulated and ARGV[1] .. '-*' or '*', 'v', '${entryVersion}', 'n', 1, 'f', firstId, 'b', body, 'c', redis.sha1hex(body))
    if firstId ~= '' then
      redis.call('ZADD', index .. string.sub(firstId, 9, 18), tonumber(string.sub(firstId, 19), 16), entry)
    end
    redis.call('HDEL', dead, id)
    redis.call('ZREM', deadIds, id)
    redis.call('HINCRBY', state, 'entries', 1)
    redis.call('HINCRBY', state, 'documents', 1)
    redis.call('HINCRBY', state, 'bytes', #body)
    redis.call('HINCRBY', state, 'appendedDocuments', 1)
  end
  outcomes[#outcomes + 1] = outcome
end
return outcomes
`)

/** Answers length, age of the oldest entry, number of dead letters, the state, and how many entries are parked. */
export const backlogScript = script(`${prelude}
local waiting = 0
-- Without stream or group it is an error, and no list.
for _, info in ipairs(redis.pcall('XINFO', 'CONSUMERS', stream, group)) do
  local fields = fieldsOf(info)
  if fields['name'] == parked then waiting = fields['pending'] end
end
return { redis.call('XLEN', stream), oldestAge(), redis.call('HLEN', dead), redis.call('HGETALL', state), waiting }
`)

/** 4: writer, 5: counter. Answers the fields of the entry that may hold the id. */
export const locateScript = script(`${prelude}
local id = redis.call('ZREVRANGEBYSCORE', index .. ARGV[4], ARGV[5], '-inf', 'LIMIT', 0, 1)[1]
local entry = id and redis.call('XRANGE', stream, id, id)[1]
return entry and entry[2] or false
`)

/**
 * From 4: budget, interval, time since the caller's last command, run id of this server, run id at the caller's last
 * reservation. The rule of slot.ts; besides, a server that was started again is given one second, because what it had
 * not yet written down is forgotten. Answers the ms until the slot.
 */
export const slotScript = script(`${alsoWhenFull}${prelude}
local budget, interval, since, run, previous = ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7], ARGV[8]
if not simulated then now = time[1] * 1000 + time[2] / 1000 end
local next = tonumber(redis.call('HGET', slots, budget) or 0)
local known = redis.call('HGET', slots, budget .. ' run') or previous
if known ~= '' and known ~= run then next = now + 1000 end
local slot = math.max(now, math.min(next, now + 1000), now - math.max(0, since) + interval)
redis.call('HSET', slots, budget, string.format('%.3f', slot + interval), budget .. ' run', run)
return string.format('%.3f', slot - now)
`)

/** From 4: consumers that stop. They, and those not heard of for a day, leave the group unless they still hold entries. */
export const forgetScript = script(`${alsoWhenFull}${prelude}
local stopped = {}
for i = 4, #ARGV do stopped[ARGV[i]] = true end
for _, info in ipairs(redis.call('XINFO', 'CONSUMERS', stream, group)) do
  local fields = fieldsOf(info)
  if fields['pending'] == 0 and (stopped[fields['name']] or fields['idle'] > 86400000) then
    redis.call('XGROUP', 'DELCONSUMER', stream, group, fields['name'])
  end
end
`)
