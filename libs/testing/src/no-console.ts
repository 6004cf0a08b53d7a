import { format } from 'node:util'
import { afterEach, beforeEach, expect, vi } from 'vitest'

const methods = ['log', 'info', 'warn', 'error', 'debug'] as const

/** Vitest setup file: a test that writes to the console fails, so that output is asserted or absent. */
const written: string[] = []

beforeEach(() => {
  written.length = 0
  for (const method of methods) {
    vi.spyOn(console, method).mockImplementation((...args: unknown[]) => {
      written.push(`console.${method}: ${format(...args)}`)
    })
  }
})

afterEach(() => {
  expect(written, 'a test must not write to the console').toEqual([])
})
