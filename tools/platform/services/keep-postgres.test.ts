import { temporaryFolder, waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { processIdentity } from '../process-identity.ts'
import { keepPostgres, type KeptPostgres } from './keep-postgres.ts'

function pidOf({ pid }: KeptPostgres): number {
  if (pid === undefined) throw new Error('it does not run')
  return pid
}

test('a killed PostgreSQL comes back on the same URL, and stays away once it was stopped', async () => {
  await using folder = await temporaryFolder()
  const said: string[] = []
  const postgres = await keepPostgres(folder.path, (_, msg) => said.push(msg))
  const first = pidOf(postgres)
  await postgres.signal('SIGKILL')
  await waitUntil(() => postgres.restarts === 1, { timeoutMs: 90_000 })
  expect(pidOf(postgres)).not.toBe(first)
  expect(said).toEqual([expect.stringMatching(/^PostgreSQL ended, restart in \d+ ms$/), 'PostgreSQL runs again'])
  const second = pidOf(postgres)
  await expect(processIdentity(second)).resolves.toBeDefined()
  // Also one that is paused, with all its sessions.
  await postgres.signal('SIGSTOP')
  await postgres.stop()
  await expect(processIdentity(second)).resolves.toBeUndefined()
  expect(said).toHaveLength(2)
})
