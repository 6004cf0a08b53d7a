import type { OperatorSide } from '../port.ts'
import type { Database } from './connection.ts'
import type { ServerFacts } from './migrate.ts'

/** So that no statement of a resume holds the map or its rows for long: 64 parts. */
const parts = 64

interface StateRow {
  readonly since_ms: number | null
  readonly resuming: boolean
  readonly skips: string
  readonly map_version: string
}

export function operatorSide(database: Database, facts: ServerFacts): OperatorSide {
  const part = Math.ceil(facts.slots / parts)
  return {
    async pause() {
      const [row] = await database.query<{ outcome: 'paused' | 'already-paused' | 'resuming' }>(
        'SELECT ballast_scaler.pause() AS outcome',
      )
      return row?.outcome ?? 'already-paused'
    },
    async resume({ catchUp }) {
      await database.query('SELECT ballast_scaler.begin_to_resume($1)', [catchUp])
      for (let done = false; !done;) {
        const [row] = await database.query<{ done: boolean }>('SELECT ballast_scaler.resume_slots($1) AS done', [part])
        done = row?.done ?? true
      }
    },
    async pauseState() {
      const [row] = await database.query<StateRow>(
        `SELECT paused_tick::float8 * 1000 AS since_ms, skips::text,
           resume_tick IS NOT NULL OR EXISTS (SELECT FROM ballast_scaler.slots WHERE held_to IS NOT NULL) AS resuming,
           map_version::text
         FROM ballast_scaler.settings`,
      )
      return {
        pausedSinceMs: row?.since_ms ?? undefined,
        resuming: row?.resuming ?? false,
        skips: BigInt(row?.skips ?? 0),
        mapVersion: BigInt(row?.map_version ?? 0),
      }
    },
    async limits() {
      const [row] = await database.query<{ limits: Record<string, number | boolean> }>(
        'SELECT limits FROM ballast_scaler.settings',
      )
      return row?.limits ?? {}
    },
    async setLimits(limits) {
      await database.query('UPDATE ballast_scaler.settings SET limits = jsonb_strip_nulls(limits || $1::jsonb)', [
        JSON.stringify(limits),
      ])
    },
  }
}
