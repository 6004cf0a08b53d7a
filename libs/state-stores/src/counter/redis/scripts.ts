import { script } from '../../redis/script.ts'

/**
 * What became of a batch: its answer, or `void` when it has none, and then it never will: the script of a voided batch,
 * which may still be on its way, changes nothing.
 */
export const resolveScript = script(`
local answer = redis.call('GET', KEYS[1])
if answer then return answer end
redis.call('SET', KEYS[1], 'void', 'PX', ARGV[1])
return 'void'
`)

const clock = `
local now = ARGV[1]
if now == '' then
  local time = redis.call('TIME')
  now = time[1] .. string.sub(string.format('%06d', time[2]), 1, 3)
end
local seen = redis.call('HGET', KEYS[1], 'now')
if seen and tonumber(seen) > tonumber(now) then now = seen end
local reply = { now }
local function append(name, key)
  local fields = redis.call('HMGET', key, 'value', 'version', 'expiry')
  if not fields[1] or (fields[3] and tonumber(now) >= tonumber(fields[3])) then return end
  reply[#reply + 1] = table.concat({ name, fields[1], fields[2], fields[3] or '' }, ',')
end
`

/** KEYS: meta, then the counters; ARGV: now or '', the names. The time, then a line for each counter that there is. */
export const readScript = script(`${clock}
for i = 2, #KEYS do append(ARGV[i], KEYS[i]) end
return reply
`)

/** KEYS: meta, names; ARGV: now or '', first, last, limit, prefix of counter keys. The last line is the last name that was looked at. */
export const scanScript = script(`${clock}
local found = redis.call('ZRANGEBYLEX', KEYS[2], ARGV[2], ARGV[3], 'LIMIT', 0, ARGV[4])
for _, name in ipairs(found) do append(name, ARGV[5] .. name) end
reply[#reply + 1] = found[#found] or ''
return reply
`)
