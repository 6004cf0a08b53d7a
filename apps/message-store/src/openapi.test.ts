import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { testApp } from './test-app.ts'

test('openapi.json is what the routes say; to renew it, start the app and save its /openapi.json', async () => {
  const { app } = await testApp()
  const { body } = await app.inject('/openapi.json')
  const committed: unknown = JSON.parse(readFileSync(new URL('../openapi.json', import.meta.url), 'utf8'))
  // Compared as documents: the formatter decides about line breaks.
  expect(JSON.parse(body)).toEqual(committed)
})
