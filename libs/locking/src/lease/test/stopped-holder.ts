/**
 * Takes a lease, sees that it is held, and is then stopped by a real SIGSTOP just before it writes:
 * `node stopped-holder.ts <url> <key> <ttl ms>`. Goes on after SIGCONT.
 */
import { openLeases } from '../open.ts'
import { openFenced } from './open-fenced.ts'

const [url = '', key = '', ttl = ''] = process.argv.slice(2)
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const leases = await openLeases(url)
const data = await openFenced(url)
const lease = await leases.acquire(key, { ttlMs: Number(ttl) })
say(`accepted ${await data.write(key, lease.fence, 'before the pause')}`)
if (lease.held && !lease.signal.aborted) {
  process.kill(process.pid, 'SIGSTOP')
  // The first thing after the pause: no timer has run yet.
  say(`write ${await data.write(key, lease.fence, 'after the pause')}`)
}
say(`held ${lease.held}`)
await lease.release()
await leases[Symbol.asyncDispose]()
await data[Symbol.asyncDispose]()
