import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, onTestFinished } from 'vitest'

/** Drops what was made under a name, whatever the server calls it: key prefix, schema, keyspace, table, bucket, database. */
export type Drop = (name: string) => Promise<unknown>

/**
 * A name for what one test file makes in a shared server: nobody else has it. What is under it is dropped when all tests
 * of the file (or of the `describe` around) have passed; when one failed it is kept, and stderr says where.
 * Letters and digits, 28 of them, which every server takes for a name.
 */
export function ownNamespace(serverUrl: string, drop: Drop): string {
  const name = uniqueName()
  let failed = false
  afterEach(({ task }) => void (failed ||= task.result?.state === 'fail'))
  afterAll(() => settle(serverUrl, name, failed, drop), 120_000)
  return name
}

/** The same for the test that is running. */
export function ownNamespaceOfTest(serverUrl: string, drop: Drop): string {
  const name = uniqueName()
  onTestFinished(({ task }) => settle(serverUrl, name, task.result?.state !== 'pass', drop), 120_000)
  return name
}

const uniqueName = (): string => `test${randomUUID().replaceAll('-', '').slice(0, 24)}`

async function settle(serverUrl: string, name: string, failed: boolean, drop: Drop): Promise<void> {
  if (!failed) await drop(name)
  else process.stderr.write(`kept for a look, as a test failed: "${name}" at ${withoutSecrets(serverUrl)}\n`)
}

const withoutSecrets = (url: string): string => url.replace(/\/\/[^@/]*@/, '//').replace(/\?.*$/, '')
