import { parked } from './claim-order.ts'
import { entryVersion } from './redis-entry.ts'

/*
 * Each script is one atomic step. Time is the server's, unless the caller brings his own (tests). Keys 1 to 7: the stream,
 * its state, takeovers, dead letters, their ids, slots, roster; argument 1: the caller's time or nothing, 2: prefix of the index
 * keys, 3: the consumer group. The group's own pending list says who holds an entry, since when and for which time.
 */
/** Flag of the steps that empty the queue: a server without memory must not refuse what gives it some (Redis 7). */
export const alsoWhenFull = '#!lua flags=allow-oom\n'

export const prelude = `
local stream, state, takeovers, dead, deadIds, slots, roster = unpack(KEYS)
local index, group = ARGV[2], ARGV[3]
local time = redis.call('TIME')
local server = time[1] * 1000 + math.floor(time[2] / 1000)
local simulated = ARGV[1] ~= ''
local now = simulated and tonumber(ARGV[1]) or server
local nobody, parked = '(released)', '${parked}'

local function counted(field) return tonumber(redis.call('HGET', state, field) or 0) end

local function fieldsOf(list)
  local fields = {}
  for i = 1, #list, 2 do fields[list[i]] = list[i + 1] end
  return fields
end

-- Both as decodeEntry reads them. Only ours were counted when they came.
local function isOurs(fields)
  return fields['v'] == '${entryVersion}' and fields['b'] and fields['f'] and string.match(fields['n'] or '', '^%d+$') and #fields['n'] < 10
end
local function isLater(entry)
  local fields = fieldsOf(entry[2])
  local version = string.match(fields['v'] or '', '^[1-9]%d*$')
  return version and #version < 10 and tonumber(version) > ${entryVersion} and fields['n'] and fields['b']
end

local function lastDelivered()
  for _, info in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    local fields = fieldsOf(info)
    if fields['name'] == group then return fields['last-delivered-id'] end
  end
end

-- Of the entries that this release reads: what waits for another one says nothing about how fast the queue empties.
local function oldestAge()
  local function ageOf(entry) return math.max(0, now - tonumber(string.match(entry[1], '^%d+'))) end
  local first = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
  if not first then return 0 end
  if not isLater(first) then return ageOf(first) end
  local oldest, last = 0, lastDelivered()
  for _, info in ipairs(last and redis.call('XINFO', 'CONSUMERS', stream, group) or {}) do
    local fields = fieldsOf(info)
    if fields['pending'] > 0 and fields['name'] ~= parked then
      local held = redis.call('XPENDING', stream, group, '-', '+', 1, fields['name'])[1]
      local entry = held and redis.call('XRANGE', stream, held[1], held[1])[1]
      if entry and not isLater(entry) then oldest = math.max(oldest, ageOf(entry)) end
    end
  end
  for _, entry in ipairs(redis.call('XRANGE', stream, last and '(' .. last or '-', '+', 'COUNT', 16)) do
    if not isLater(entry) then return math.max(oldest, ageOf(entry)) end
  end
  return oldest
end
`
