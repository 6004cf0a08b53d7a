import { setTimeout as delay } from 'node:timers/promises'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@ballast/backends/embedded-postgres'
import { backoffMs, defaultBackoff } from '../backoff.ts'
import { messageOf } from '../command-line.ts'
import type { EmbeddedServer, Report } from '../service.ts'

export interface KeptPostgres extends EmbeddedServer {
  /** Stays the same over restarts. */
  readonly url: string
  stop(): Promise<void>
}

/** An embedded PostgreSQL that is started again, on the same port, whenever it ends by itself. */
export async function keepPostgres(dataDir: string, report: Report): Promise<KeptPostgres> {
  const stopping = new AbortController()
  let current = await startEmbeddedPostgres({ dataDir })
  const { url } = current
  const port = Number(new URL(url).port)
  let isRunning = true
  let restarts = 0

  const restart = async (): Promise<EmbeddedPostgres | undefined> => {
    for (let failures = 0; !stopping.signal.aborted; failures++) {
      const waitMs = backoffMs(failures, defaultBackoff, Math.random)
      report('warn', `PostgreSQL ended, restart in ${waitMs} ms`, { dataDir })
      await delay(waitMs, undefined, { signal: stopping.signal }).catch(() => {})
      if (stopping.signal.aborted) return undefined
      try {
        return await startEmbeddedPostgres({ dataDir, port })
      } catch (error) {
        report('warn', messageOf(error), { dataDir })
      }
    }
    return undefined
  }
  const keep = async (): Promise<void> => {
    for (;;) {
      await current.exited
      isRunning = false
      const next = stopping.signal.aborted ? undefined : await restart()
      if (next === undefined) return
      current = next
      isRunning = true
      restarts++
      // The stop came while this start was under way.
      if (stopping.signal.aborted) return current.stop()
      report('info', 'PostgreSQL runs again', { pid: current.pid })
    }
  }
  const kept = keep()
  return {
    name: 'postgresql',
    url,
    get pid() {
      return isRunning ? current.pid : undefined
    },
    get restarts() {
      return restarts
    },
    signal: (signal) => current.signal(signal),
    async stop() {
      stopping.abort()
      await current.stop()
      await kept
    },
  }
}
