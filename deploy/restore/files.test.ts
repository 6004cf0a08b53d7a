import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { runTask, startApp } from './app.ts'

const add = async (url: string, key: string): Promise<unknown> => {
  const answer = await fetch(url, { method: 'POST', headers: { 'idempotency-key': key } })
  return Object(await answer.json()).counter
}

test('a counter on a volume: the folder, copied while the service is stopped', async () => {
  await using place = await temporaryFolder()
  const [folder, backup] = [join(place.path, 'data'), join(place.path, 'backup')]
  const store = ['--store', `file:${join(folder, 'counter.json')}`]
  {
    await using counter = await startApp('counter', ...store)
    for (let count = 1; count <= 5; count++) expect(await add(counter.url, `before-${count}`)).toBe(count)
    await counter.stop()
  }
  await cp(folder, backup, { recursive: true })
  {
    await using counter = await startApp('counter', ...store)
    expect(await add(counter.url, 'after')).toBe(6)
    await counter.kill()
  }
  await rm(folder, { recursive: true })
  await cp(backup, folder, { recursive: true })
  await using counter = await startApp('counter', ...store)
  expect(await (await fetch(counter.url)).json()).toEqual({ counter: 5 })
  // What was answered before the backup is known: a repetition does not count again. What came after it is gone, and counts.
  expect(await add(counter.url, 'before-5')).toBe(5)
  expect(await add(counter.url, 'after')).toBe(6)
})

test('the message store: exported beside the running service, verified, and imported into a new one', async () => {
  await using place = await temporaryFolder()
  const [lost, restored] = ['lost', 'restored'].map((name) => `lmdb:${join(place.path, name)}`)
  const archive = join(place.path, 'backup.tar')
  const texts = ['a', 'b'.repeat(100_000), 'c']
  const digests: string[] = []
  {
    await using messages = await startApp('message-store', '--store', `${lost}`)
    for (const message of texts) {
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(`${messages.url}/messages`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ message }),
      })
      digests.push(String(Object(await answer.json()).digest))
    }
    expect(await runTask('message-store', 'export', '--store', `${lost}`, '--file', archive)).toMatchObject({ code: 0 })
    await messages.kill()
  }
  await rm(join(place.path, 'lost'), { recursive: true })
  expect(await runTask('message-store', 'import', '--store', `${restored}`, '--file', archive)).toMatchObject({
    code: 0,
  })
  expect(await runTask('message-store', 'verify', '--store', `${restored}`)).toMatchObject({ code: 0 })
  await using messages = await startApp('message-store', '--store', `${restored}`)
  for (const [index, digest] of digests.entries()) {
    expect(await (await fetch(`${messages.url}/messages/${digest}`)).json()).toEqual({ message: texts[index] })
  }
})
