import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder, waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { History, read, type Item } from './kill/history.ts'
import { complete, progress, writers } from './kill/writers.ts'
import { startMessageStore } from './message-store-process.ts'

const rounds = Number(process.env['KILL_ROUNDS'] ?? 20)
const clients = 12

test(
  `killed ${rounds} times under messages, blobs, batches and uploads: nothing answered is lost, nothing is read incomplete`,
  { timeout: 60_000 + rounds * 15_000 },
  async ({ annotate }) => {
    await using folder = await temporaryFolder()
    const history = new History()
    const { answered, unanswered, interrupted } = history
    let resumed = 0
    for (let round = 0; round < rounds; round++) {
      await using server = await startMessageStore(folder.path)
      const before = answered.length
      for (const state of interrupted.splice(0)) {
        await expectKept(server.url, state)
        // Half of them go on, the others are left as they are.
        if (resumed++ % 2 === 0 && (await complete(server.url, state, history))) answered.push(state)
        else unanswered.push(state)
      }
      const stop = new AbortController()
      const load = Array.from({ length: clients }, async (_, client) => {
        const write = writers[client % writers.length]
        for (let index = 0; !stop.signal.aborted; index++)
          await write?.(server.url, `${round}/${client}`, index, history)
      })
      // A moment of death that differs from life to life.
      await waitUntil(() => answered.length > before + 20 + ((round * 37) % 50), { timeoutMs: 60_000 })
      server.kill('SIGKILL')
      await expect(server.exit).resolves.toEqual({ code: null, signal: 'SIGKILL' })
      stop.abort()
      await Promise.all(load)
    }
    await using last = await startMessageStore(folder.path)
    for (const item of answered) expect([item.path, await read(last.url, item)]).toContain('whole')
    for (const item of unanswered) expect(['whole', 'missing']).toContain(await read(last.url, item))
    for (const state of interrupted) await expectKept(last.url, state)
    expect(new Set([...history.reads, 'whole', 'no answer'])).toEqual(new Set(['whole', 'no answer']))
    expect(answered.length).toBeGreaterThan(rounds * 20)
    expect(unanswered.length).toBeGreaterThan(0)
    expect(resumed + interrupted.length).toBeGreaterThan(0)

    // Nothing is left of the dead but what is readable.
    const living = (await readdir(join(folder.path, 'incoming'))).filter((name) => name.endsWith('.lock'))
    expect(living).toHaveLength(1)
    const files = await readdir(join(folder.path, 'files'), { recursive: true })
    const named = files.filter((file) => /-[0-9a-f]{24}$/.test(file)).length
    const sent = large(answered) + large(unanswered) + large(interrupted)
    expect(named).toBeGreaterThanOrEqual(large(answered))
    expect(named).toBeLessThanOrEqual(sent + history.parts)
    await annotate(`${rounds} kills: ${answered.length} answered, ${unanswered.length} not, ${resumed} uploads cut`)
  },
)

/** Of an upload without an end every acknowledged byte is there, and nothing under its name. */
async function expectKept(url: string, state: History['interrupted'][number]): Promise<void> {
  const found = await read(url, state)
  if (state.finishing && found === 'whole') return
  expect([state.path, found]).toContain('missing')
  const kept = await progress(url, state)
  expect([state.path, state.acknowledgedBytes, kept ?? -1]).toEqual([
    state.path,
    state.acknowledgedBytes,
    expect.toSatisfy((size: number) => size >= state.acknowledgedBytes && size <= state.bytes.length),
  ])
  state.acknowledgedBytes = kept ?? 0
}

const large = (items: readonly Item[]): number => items.filter(({ bytes }) => bytes.length > 65_600).length
