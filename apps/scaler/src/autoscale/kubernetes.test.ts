import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { openScaleTarget } from './open.ts'
import { startScaleApi } from './test-scale-api.ts'

const local = { start: () => ({ command: '', args: [], env: {} }), log: { info: () => {} } }

async function scene(token = 'sesame') {
  const stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const api = stack.use(await startScaleApi())
  const credentials = join(folder.path, 'account')
  await mkdir(credentials)
  await writeFile(join(credentials, 'token'), `${token}\n`)
  await writeFile(join(credentials, 'namespace'), 'testing')
  const open = (name = 'workers') =>
    openScaleTarget(`kubernetes:${name}?server=${api.url}&credentials=${credentials}`, local)
  return { api, open, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

test('replicas are read and set; nothing is written when there are as many already', async () => {
  await using at = await scene()
  await using target = await at.open()
  await expect(target.current()).resolves.toBe(2)
  await target.scaleTo(4, 2)
  await target.scaleTo(4, 2)
  expect([at.api.state.replicas, at.api.state.puts]).toEqual([4, 1])
  expect([target.name, target.workerName(3)]).toEqual(['kubernetes testing/workers', 'workers-3'])
})

test('what somebody else changes between reading and writing is not overwritten', async () => {
  await using at = await scene()
  await using target = await at.open()
  at.api.state.afterGet = () => at.api.edit(9)
  await expect(target.scaleTo(4, 2)).rejects.toThrow('was changed by somebody else meanwhile')
  expect(at.api.state.replicas).toBe(9)
  await expect(target.scaleTo(3, 2), 'decided when there were 2').rejects.toThrow('changed by somebody else')
  await target.scaleTo(4, 9)
  expect(at.api.state.replicas).toBe(4)
})

test('no right, no such set, no token that counts, no server: one sentence each', async () => {
  await using at = await scene()
  await using target = await at.open()
  at.api.state.forbidden = true
  await expect(target.current()).rejects.toThrow('grant get and update on statefulsets/scale')
  await expect((await at.open('others')).current()).rejects.toThrow(
    'there is no StatefulSet others in namespace testing',
  )
  await using stranger = await scene('guess')
  await expect((await stranger.open()).current()).rejects.toThrow('not allowed to scale StatefulSet workers')
  await at.api[Symbol.asyncDispose]()
  await expect(target.current()).rejects.toThrow(/^Kubernetes at 127\.0\.0\.1:\d+ did not answer$/)
})

test.each([
  ['kubernetes:', /write kubernetes:<statefulset>/],
  ['kubernetes:workers?name=x', /write kubernetes:<statefulset>/],
  ['kubernetes:workers?credentials=/nowhere', /no credentials for Kubernetes in \/nowhere/],
  ['docker', /"docker" is none of none, local and kubernetes:<statefulset>/],
])('%s is refused', async (text, sentence) => {
  await expect(openScaleTarget(text, local)).rejects.toThrow(sentence)
})
