import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { fixtureService } from '../platform/fixtures/fixture-definition.ts'
import { startPlatform } from '../platform/platform.ts'
import { probe } from '../platform/probe.ts'
import type { Chapter, CheckedFact } from './chapter.ts'
import { runTourCommand } from './command.ts'
import { count } from './report.ts'
import { runTour } from './run-tour.ts'

async function tour(chapters: readonly Chapter[]): Promise<{ printed: string[]; facts: CheckedFact[] }> {
  await using folder = await temporaryFolder()
  await using platform = await startPlatform({
    services: [fixtureService('one', 1)],
    dataDir: folder.path,
    env: process.env,
    onLog: () => {},
  })
  const printed: string[] = []
  const facts = await runTour({
    chapters,
    platform,
    dataDir: folder.path,
    folder: folder.path,
    ca: '',
    colour: false,
    print: (line) => printed.push(line),
    progress: () => {},
  })
  return { printed, facts }
}

test('one line per checked fact, against the running platform, and a summary', async () => {
  const { printed, facts } = await tour([
    {
      name: 'one',
      title: 'answers',
      async run({ platform, check }) {
        const { status } = await probe(platform.url('one'))
        check('it answers', status === 200, `status ${status}`)
      },
    },
  ])
  expect(printed).toEqual([
    'one: answers',
    expect.stringMatching(/^ {2}✓ it answers {2,}status 200$/),
    '',
    '1 of 1 facts hold, in 0 s.',
  ])
  expect(facts).toEqual([{ chapter: 'one', fact: 'it answers', holds: true, measured: 'status 200' }])
})

test('a fact that does not hold and a chapter that throws are named, and the next chapter still runs', async () => {
  const { printed } = await tour([
    {
      name: 'one',
      title: 'lies',
      run({ check }) {
        check('two is three', false, '2')
        return Promise.reject(new Error('boom'))
      },
    },
    { name: 'two', title: 'goes on', run: ({ check }) => Promise.resolve(check('it ran', true, 'yes')) },
  ])
  expect(printed.join('\n')).toMatch(/✗ two is three +2\n +✗ the chapter ran to its end +boom\n[^]*✓ it ran +yes/)
  expect(printed.at(-1)).toBe('2 of 3 facts do not hold, in 0 s: one: two is three; one: the chapter ran to its end')
})

test('stores are embedded or real', async () => {
  const argv = ['--stores', 'nosql']
  const stop = new AbortController().signal
  const command = runTourCommand({ argv, env: {}, colour: false, print: () => {}, progress: () => {}, stop })
  await expect(command).rejects.toThrow('--stores nosql is neither embedded nor real')
})

test('counts are grouped', () => {
  expect(count(1_234_567.4)).toBe('1 234 567')
})

const visitWith = (argv: readonly string[], print: (line: string) => void = () => {}): Promise<number> =>
  runTourCommand({ argv, env: {}, colour: false, print, progress: () => {}, stop: new AbortController().signal })

test.each([
  ['http://localhost', '--url wants NAME=URL'],
  ['kounter=http://localhost', 'not "kounter=http://localhost"'],
  ['counter=localhost:4001', '"localhost:4001" of counter is no address'],
  ['counter=http://localhost/ui', 'is no address'],
])('--url %s is refused', async (url, sentence) => {
  await expect(visitWith(['--url', url])).rejects.toThrow(sentence)
})

test('--token-file is for services elsewhere, and has to be there', async () => {
  await expect(visitWith(['--token-file', 'x'])).rejects.toThrow('go with --url')
  await expect(visitWith(['--url', 'counter=http://127.0.0.1:1', '--token-file', '/no/such'])).rejects.toThrow(
    '--token-file: ENOENT',
  )
})

test('a service elsewhere is visited; one that answers wrongly does not pass', async () => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.headers.authorization}`)
    response.writeHead(404).end('{}')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  await using folder = await temporaryFolder()
  await writeFile(join(folder.path, 'token'), 'secret\n')
  const printed: string[] = []
  const argv = ['--url', `message-store=${url}`, '--token-file', join(folder.path, 'token')]
  expect(await visitWith(argv, (line) => printed.push(line))).toBe(1)
  server.close()
  expect(printed.join('\n')).toMatch(
    /✗ every answer is what the original says +GET of an unknown digest was answered 404 \{\}/,
  )
  expect(new Set(asked)).toContain('POST Bearer secret')
})
