import { expect, test } from 'vitest'
import { Resources } from './resources.ts'

function resource(name: string, gone: string[], failure?: Error): AsyncDisposable {
  return {
    async [Symbol.asyncDispose]() {
      await Promise.resolve()
      gone.push(name)
      if (failure !== undefined) throw failure
    },
  }
}

test('all is taken away once, the youngest first, and whoever asks again waits for the same end', async () => {
  const gone: string[] = []
  const resources = new Resources()
  await resources.use(resource('network', gone))
  await resources.use(resource('node', gone))
  const first = resources.end()
  expect(gone).not.toContain('network')
  await resources.end()
  expect(gone).toEqual(['node', 'network'])
  await first
  expect(gone).toEqual(['node', 'network'])
})

test('one that cannot be taken away keeps no other', async () => {
  const gone: string[] = []
  const resources = new Resources()
  await resources.use(resource('network', gone))
  await resources.use(resource('node', gone, new Error('busy')))
  await expect(resources.end()).rejects.toThrow('busy')
  expect(gone).toEqual(['node', 'network'])
})

test('what comes to be after the end is taken away at once', async () => {
  const gone: string[] = []
  const resources = new Resources()
  await resources.end()
  await expect(resources.use(resource('late', gone))).rejects.toThrow('interrupted')
  expect(gone).toEqual(['late'])
})

test('programs that leave nothing hear of the end when it begins', () => {
  const resources = new Resources()
  expect(resources.ending.aborted).toBe(false)
  void resources.end()
  expect(resources.ending.aborted).toBe(true)
})
