import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import type { ConsoleInBrowser } from '../../fixtures/console-in-browser.ts'

const atOnce = 50
const mib = 2 ** 20
const pages = ['', 'counter', 'message-store', 'scaler', 'load-tolerant-api']

/** Descriptors of a process: sockets, files, pipes. Linux tells them. */
const descriptors = async (pid: number): Promise<number> => (await readdir(`/proc/${pid}/fd`)).length

export interface Soak {
  /** Readers who come and go. */
  readonly connects: number
  /** How long a page is open. */
  readonly openMinutes: number
}

/** What is left open, and what grows. `console` is there once the tests run. */
export function soakSuite(console: () => ConsoleInBrowser, { connects, openMinutes }: Soak): void {
  test.skipIf(process.platform !== 'linux')(
    `${connects} readers who come and go leave no descriptor open, at the launcher and at a service`,
    { timeout: 600_000 },
    async ({ annotate }) => {
      const { urlOf, url, launcherPid, ask } = console()
      const pids = [launcherPid, await pidOf('counter')]
      const now = (): Promise<number[]> => Promise.all(pids.map(descriptors))
      // The pages of earlier tests are closed: what they held goes within a moment.
      let before = await now()
      await waitUntil(
        async () => {
          await delay(500)
          const last = before
          before = await now()
          return last.join() === before.join()
        },
        { what: 'descriptors at rest' },
      )
      const addresses = [`${url}/ui/events`, `${urlOf('counter')}/ui/events`]
      const startedMs = performance.now()
      for (let done = 0; done < connects; done += atOnce) {
        await Promise.all(Array.from({ length: atOnce }, (_, n) => comeAndGo(addresses[n % 2] ?? '')))
      }
      await annotate(
        `${connects} in ${((performance.now() - startedMs) / 1000).toFixed(1)} s; before: ${before.join()}`,
      )
      const left = async (): Promise<number> =>
        (await now()).reduce((sum, count, index) => sum + Math.max(0, count - (before[index] ?? 0)), 0)
      await waitUntil(async () => (await left()) === 0, { what: `not more than ${before.join()} descriptors` })
      expect(await left()).toBe(0)

      async function pidOf(name: string): Promise<number> {
        const { body } = await ask('/ui/events', 'GET')
        if (body === null) throw new Error('no body')
        let text = ''
        for await (const piece of body.pipeThrough(new TextDecoderStream())) {
          text += piece
          const found = new RegExp(`"name":"${name}"[^}]*"pid":(\\d+)`).exec(text)?.[1]
          if (found !== undefined) return Number(found)
        }
        throw new Error(`no process ${name}`)
      }
    },
  )

  test(
    `a page that is open for ${openMinutes} minutes grows by less than 20 MB`,
    { timeout: openMinutes * 60_000 + 240_000 },
    async ({ annotate }) => {
      const { openUnwatched, ask, rendererPids } = console()
      await using page = await openUnwatched()
      const shows = (selector: string, wanted: RegExp): Promise<unknown> =>
        waitUntil(
          async () => wanted.test(String(await page.evaluate(`document.querySelector('${selector}')?.innerText`))),
          { what: `${selector} ${wanted}`, timeoutMs: 60_000 },
        )
      await shows('[data-service=scaler] .status', /^ready$/)
      const take = async () => {
        await page.send('HeapProfiler.collectGarbage')
        const { usedSize } = await page.send('Runtime.getHeapUsage')
        const { nodes, jsEventListeners } = await page.send('Memory.getDOMCounters')
        const residentMib = await residentMibOf(await rendererPids())
        return {
          heapMib: Number(usedSize) / mib,
          nodes: Number(nodes),
          listeners: Number(jsEventListeners),
          residentMib,
        }
      }
      const work = async (round: number): Promise<void> => {
        await page.evaluate(`location.hash = '#/${pages[round % pages.length]}'`)
        await ask(`/counter/v1/counters/soak/${round % 7}/add`, 'POST', {})
        await ask('/message-store/messages', 'POST', { message: `soak ${round}` })
        await ask('/load-tolerant-api/api/data', 'GET')
        await delay(Math.min(2_000, openMinutes * 6_000))
      }
      // What each view needs once, code and all, is no growth.
      for (let round = 0; round < pages.length; round++) await work(round)
      const before = await take()
      const stop = AbortSignal.timeout(openMinutes * 60_000)
      for (let round = 0; !stop.aborted; round++) await work(round)
      await page.evaluate(`location.hash = '#/'`)
      await shows('h1', /Overview/)
      const after = await take()
      // The page's own renderer is one of them, and grows most.
      const [grownMib = 0, nowMib = 0] =
        [...after.residentMib]
          .map(([pid, now]) => [now - (before.residentMib.get(pid) ?? now), now] as const)
          .toSorted(([one], [other]) => other - one)[0] ?? []
      const grown = (key: 'heapMib' | 'nodes' | 'listeners'): string =>
        `${before[key].toFixed(1)} to ${after[key].toFixed(1)}`
      await annotate(
        `${openMinutes} min: heap ${grown('heapMib')} MiB, resident by ${grownMib.toFixed(1)} to ${nowMib.toFixed(1)} MiB, nodes ${grown('nodes')}, listeners ${grown('listeners')}`,
      )
      expect(after.heapMib - before.heapMib).toBeLessThan(20)
      expect(grownMib).toBeLessThan(20)
    },
  )
}

async function comeAndGo(url: string): Promise<void> {
  const abort = new AbortController()
  const { body, status } = await fetch(url, { signal: abort.signal })
  // The 101st is told to come back, and that is an end, too.
  if (status === 503) await body?.cancel()
  else await body?.getReader().read()
  abort.abort()
}

/** Of each process, in MiB; of Linux, elsewhere 0. */
async function residentMibOf(pids: readonly number[]): Promise<ReadonlyMap<number, number>> {
  const sizes = pids.map(async (pid) => {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
    return [pid, Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024] as const
  })
  return new Map(await Promise.all(sizes))
}
