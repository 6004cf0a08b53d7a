import { temporaryFolder, waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { processIdentity } from '../process-identity.ts'
import { keepPostgres } from './keep-postgres.ts'

test('a killed PostgreSQL comes back on the same URL, and stays away once it was stopped', async () => {
  await using folder = await temporaryFolder()
  const said: string[] = []
  const postgres = await keepPostgres(folder.path, (_, msg) => said.push(msg))
  const first = postgres.pid
  process.kill(first, 'SIGKILL')
  await waitUntil(() => postgres.pid !== first, { timeoutMs: 90_000 })
  expect(said).toEqual([expect.stringMatching(/^PostgreSQL ended, restart in \d+ ms$/), 'PostgreSQL runs again'])
  const second = postgres.pid
  await expect(processIdentity(second)).resolves.toBeDefined()
  await postgres.stop()
  await expect(processIdentity(second)).resolves.toBeUndefined()
  expect(said).toHaveLength(2)
})
