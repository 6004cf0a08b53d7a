import { join } from 'node:path'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { dropNamespace } from '@ballast/backends/drop-namespace'
import { ownNamespaceOfTest } from '@ballast/backends/own-namespace'
import { temporaryFolder } from '@ballast/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startCounterOn } from './counter-process.ts'

/** A write under a key: status, code of a problem or value, and whether it was an answer given again. */
async function add(url: string, key: string, by = 1): Promise<readonly [number, unknown, string | null]> {
  const answer = await fetch(`${url}/v1/counters/a/b/add`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify({ by }),
  })
  const { code, value } = Object(await answer.json())
  return [answer.status, code ?? value, answer.headers.get('idempotency-replayed')]
}

function describeKeys(store: () => Promise<string>): void {
  test('the same again is answered alike, another request is 422, over an end and over a crash', async () => {
    const url = await store()
    for (const [signal, expected] of [
      ['SIGTERM', [200, '5', null]],
      ['SIGKILL', [200, '5', 'true']],
      ['SIGTERM', [200, '5', 'true']],
    ] as const) {
      await using counter = await startCounterOn(url)
      expect(await add(counter.url, 'k', 5)).toEqual(expected)
      expect(await add(counter.url, 'k', 5)).toEqual([200, '5', 'true'])
      expect(await add(counter.url, 'k', 6)).toEqual([422, 'idempotency-key-reused', null])
      counter.kill(signal)
      await counter.exit
    }
  })

  test('when as many keys as fit are kept new ones are 429, until the window has passed', async () => {
    const url = await store()
    await using counter = await startCounterOn(url, '--max-tokens', '2', '--token-window-ms', '5s')
    expect([await add(counter.url, '1'), await add(counter.url, '2')]).toEqual([
      [200, '1', null],
      [200, '2', null],
    ])
    expect(await add(counter.url, '3')).toEqual([429, 'token-window-full', null])
    await expect.poll(() => add(counter.url, '3'), { timeout: 30_000 }).toEqual([200, '3', null])
    // The first one is forgotten: it is a new request now.
    expect(await add(counter.url, '1', 7)).not.toEqual([422, 'idempotency-key-reused', null])
  })
}

describe('keys on a file', () => {
  describeKeys(async () => {
    const folder = await temporaryFolder()
    onTestFinished(() => folder[Symbol.asyncDispose]())
    return `file:${join(folder.path, 'counter.json')}`
  })
})

await describeOnBackend('redis', ({ url }) => {
  const drop = (name: string): Promise<void> => dropNamespace.redis(url, name)
  describeKeys(async () => `${url}/0?prefix=${ownNamespaceOfTest(url, drop)}`)
})
