import { expect, test } from 'vitest'
import { NotAppliedError } from '../../outcome.ts'
import { FaultyFileSystem } from './faulty-file-system.ts'
import { LogSegment } from './log-segment.ts'
import { ensureFolder } from './replace-file.ts'

test('a record that could not be written leaves nothing behind, neither for readers nor after a crash', async () => {
  const fs = new FaultyFileSystem()
  await ensureFolder(fs, '/d')
  const segment = await LogSegment.create(fs, '/d/counter.json', 0)
  const before = await fs.read(segment.path)
  fs.fault = (_, step) => (step === 'write' ? 'ENOSPC' : undefined)
  await expect(segment.append(Buffer.from('0123456789'))).rejects.toThrow(NotAppliedError)
  expect(await fs.read(segment.path)).toEqual(before)
  for (const survivor of fs.afterCrash()) expect(await survivor.read(segment.path)).toEqual(before)
  fs.fault = () => undefined
  await segment.append(Buffer.from('next'))
  expect(String(await fs.read(segment.path)).endsWith('next')).toBe(true)
})
