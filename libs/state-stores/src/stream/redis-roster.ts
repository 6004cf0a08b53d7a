import type { RedisArgument, RedisReply } from '../redis/connection.ts'
import { asList, asNumber, asText } from '../redis/reply.ts'
import { type Script, script } from '../redis/script.ts'
import type { WriteStream } from './port.ts'
import { alsoWhenFull, prelude } from './redis-prelude.ts'

/*
 * The occupant stands in the queue's state (who, and when it was heard of), the attendants in a hash of their own: when, and
 * what each holds. Nothing is written anew within a quarter of the time for which it is believed.
 */

/** 4: consumer, 5: claim time-out. Answers 1 when it is the occupant now. */
const occupyScript = script(`${alsoWhenFull}${prelude}
local consumer, timeout = ARGV[4], tonumber(ARGV[5])
local occupant, age = redis.call('HGET', state, 'occupant'), now - counted('occupantSeenMs')
if occupant and occupant ~= consumer and age <= timeout then return 0 end
if occupant ~= consumer or age > timeout / 4 then
  redis.call('HSET', state, 'occupant', consumer, 'occupantSeenMs', now)
end
return 1
`)

/** 4: consumer. */
const resignScript = script(`${alsoWhenFull}${prelude}
if redis.call('HGET', state, 'occupant') == ARGV[4] then redis.call('HDEL', state, 'occupant', 'occupantSeenMs') end
`)

/** 4: consumer, 5: what it holds, 6: claim time-out. Answers each attendant with what it holds. */
const attendScript = script(`${alsoWhenFull}${prelude}
local consumer, holds, timeout = ARGV[4], ARGV[5], tonumber(ARGV[6])
local seen, held = string.match(redis.call('HGET', roster, consumer) or '', '^(%d+) (.*)$')
if held ~= holds or now - tonumber(seen) > timeout / 4 then redis.call('HSET', roster, consumer, now .. ' ' .. holds) end
local there, all = {}, redis.call('HGETALL', roster)
for i = 1, #all, 2 do
  seen, held = string.match(all[i + 1], '^(%d+) (.*)$')
  if now - tonumber(seen) <= timeout then there[#there + 1] = { all[i], held }
  else redis.call('HDEL', roster, all[i]) end
end
return there
`)

/** 4: consumer. */
const departScript = script(`${alsoWhenFull}${prelude}
redis.call('HDEL', roster, ARGV[4])
`)

/** 4: at least so many partitions. Answers how many there are. */
const partitionsScript = script(`${alsoWhenFull}${prelude}
local wanted, known = tonumber(ARGV[4]), math.max(1, counted('partitions'))
if wanted > known then redis.call('HSET', state, 'partitions', wanted) end
return math.max(wanted, known)
`)

/** The rules of roster.ts, as scripts. `run` gives them the keys and arguments that all scripts of a stream have. */
export function redisRoster(
  run: (script: Script, ...args: readonly RedisArgument[]) => Promise<RedisReply>,
  claimTimeoutMs: number,
): Pick<WriteStream, 'occupy' | 'resign' | 'roster'> {
  return {
    occupy: async (consumer) => asNumber(await run(occupyScript, consumer, claimTimeoutMs)) === 1,
    resign: async (consumer) => void (await run(resignScript, consumer)),
    roster: {
      async attend(consumer, holds) {
        const there = asList(await run(attendScript, consumer, holds.join(), claimTimeoutMs))
        return there.map((attendant) => {
          const [name, held] = asList(attendant).map(asText)
          return { consumer: name ?? '', holds: (held ?? '').split(',').filter(Boolean).map(Number) }
        })
      },
      depart: async (consumer) => void (await run(departScript, consumer)),
      partitions: async (atLeast) => asNumber(await run(partitionsScript, atLeast)),
    },
  }
}
