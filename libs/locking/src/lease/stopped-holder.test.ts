import { fileURLToPath } from 'node:url'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { startProcess, temporaryFolder } from '@ballast/testing'
import { describe, expect, test } from 'vitest'
import { openLeases } from './open.ts'
import { openFenced } from './test/open-fenced.ts'

const program = fileURLToPath(new URL('test/stopped-holder.ts', import.meta.url))
const ttlMs = 1_000

/** The run that a lease alone gets wrong: checked, stopped, outlived, taken over, gone on. */
function describeStoppedHolder(name: string, url: () => string | Promise<string>): void {
  describe(`a holder stopped by SIGSTOP past his time, on ${name}`, () => {
    test('never gets a write accepted after another has taken over', async () => {
      const at = await url()
      await using leases = await openLeases(at)
      await using data = await openFenced(at)
      for (let round = 0; round < 3; round += 1) {
        const key = `stopped-${process.pid}-${round}`
        await using holder = startProcess({ args: [program, at, key, String(ttlMs)] })
        await expect(holder.waitForLine(/^accepted/)).resolves.toBe('accepted true')
        await using successor = await leases.acquire(key, { ttlMs, timeoutMs: 60_000 })
        expect(successor.fence.epoch).toBe(2n)
        await expect(data.write(key, successor.fence, 'of the successor')).resolves.toBe(true)
        holder.kill('SIGCONT')
        await expect(holder.waitForLine(/^write/)).resolves.toBe('write false')
        await expect(holder.waitForLine(/^held/)).resolves.toBe('held false')
        await expect(holder.exit).resolves.toEqual({ code: 0, signal: null })
        await expect(data.read(key)).resolves.toBe('of the successor')
        // Nor has his release freed what is not his.
        expect(successor.held).toBe(true)
        await expect(successor.extend()).resolves.toBeUndefined()
      }
    })

    test('killed instead, he keeps nobody waiting for longer than his time', async () => {
      const at = await url()
      await using leases = await openLeases(at)
      const key = `killed-${process.pid}`
      await using holder = startProcess({ args: [program, at, key, String(ttlMs)] })
      await holder.waitForLine(/^accepted/)
      holder.kill('SIGKILL')
      const killedAtMs = performance.now()
      await using successor = await leases.acquire(key, { ttlMs, timeoutMs: 60_000 })
      expect(successor.fence.epoch).toBe(2n)
      expect(performance.now() - killedAtMs).toBeLessThan(ttlMs + 5_000)
    })
  })
}

const folder = await temporaryFolder()
describeStoppedHolder('file', () => `file:${folder.path}`)
await describeOnBackend('redis', ({ url }) => describeStoppedHolder('redis', () => url))
await describeOnBackend('postgres', ({ url }) => {
  describeStoppedHolder('postgres', async () => {
    // Creates the schema that the fenced table is in.
    await (await openLeases(url))[Symbol.asyncDispose]()
    return url
  })
})
