import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { waitUntil } from '@ballast/testing'
import { describe, expect, test } from 'vitest'
import { rawExchange } from '../src/hostile-input/raw-exchange.ts'
import { startFixture } from './start-fixture.ts'

describe('starting', () => {
  test('readyz turns 200 and the log says where, in JSON lines on stdout', async () => {
    await using fixture = startFixture(['serve'])
    const url = await fixture.url()
    const answer = await fetch(`${url}/readyz`)
    expect([answer.status, await answer.text()]).toEqual([200, 'ok\n'])
    expect(JSON.parse(fixture.stdout[0] ?? '')).toEqual({
      level: 'info',
      name: 'fixture',
      msg: 'listening',
      url,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    })
    expect(fixture.stderr).toEqual([])
  })

  test('a failing start is one sentence and exit code 2, and closes what it had opened', async () => {
    await using fixture = startFixture(['--fail-start'])
    await expect(fixture.exit).resolves.toEqual({ code: 2, signal: null })
    expect(fixture.stderr).toEqual(['fixture: cannot start: the store is not there: connect ECONNREFUSED'])
    expect(fixture.stdout.map(messageOf)).toEqual(['closed queue', 'closed store'])
  })

  test('a failed start that then hangs while closing ends all the same', async () => {
    await using fixture = startFixture(['--fail-start', '--hang-on-close', '--grace-ms', '300'])
    await expect(fixture.exit).resolves.toEqual({ code: 1, signal: null })
    expect(fixture.stdout.at(-1)).toContain('"waitingFor":"queue"')
  })

  test('the stack is there for who asks', async () => {
    await using fixture = startFixture(['--fail-start', '--log-level', 'debug'])
    await fixture.exit
    expect(fixture.stdout.find((line) => messageOf(line) === 'failed')).toContain('main.ts')
  })

  test('a taken port is named with the flag that chooses another', async () => {
    await using taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const address = taken.address()
    const port = typeof address === 'object' ? address?.port : undefined
    await using fixture = startFixture(['--listen', `127.0.0.1:${port}`])
    await expect(fixture.exit).resolves.toEqual({ code: 2, signal: null })
    expect(fixture.stderr).toEqual([
      `fixture: cannot start: 127.0.0.1:${port} is taken by another process; choose another with --listen (FIXTURE_LISTEN)`,
    ])
  })

  test('beyond loopback it does not listen before someone has said who may call', async () => {
    await using refused = startFixture(['--listen', '0.0.0.0:0'])
    await expect(refused.exit).resolves.toEqual({ code: 2, signal: null })
    expect(refused.stderr[0]).toContain('choose --auth tokens or --auth mtls, or --auth none if')
    await using open = startFixture(['--listen', '0.0.0.0:0', '--auth', 'none'])
    await expect(open.url()).resolves.toMatch(/^http:\/\/0\.0\.0\.0:\d+$/)
  })

  test('closed standard input does not matter', async () => {
    const main = fileURLToPath(new URL('fixture/main.ts', import.meta.url))
    const shell = spawn('sh', ['-c', `exec "${process.execPath}" "${main}" 0<&-`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [first] = await once(shell.stdout, 'data')
    expect(messageOf(String(first).split('\n', 1)[0] ?? '')).toBe('listening')
    shell.kill('SIGTERM')
    await expect(once(shell, 'exit')).resolves.toEqual([0, null])
  })
})

describe('stopping', () => {
  test('readyz says 503 and why, requests are still served with Connection: close, what is in flight finishes, exit 0', async () => {
    await using fixture = startFixture(['--drain-delay-ms', '400'])
    const url = await fixture.url()
    const slow = fetch(`${url}/slow?ms=900`)
    await waitUntil(async () =>
      (await (await fetch(`${url}/metrics`)).text()).includes('in_flight{service="fixture"} 2'),
    )
    fixture.kill('SIGTERM')
    const draining = await waitUntil(async () => {
      const answer = await fetch(`${url}/readyz`)
      return answer.status === 503 ? answer : undefined
    })
    await expect(draining.text()).resolves.toContain('[-]draining failed: told to stop by SIGTERM')
    const late = await fetch(`${url}/public`)
    expect([late.status, late.headers.get('connection')]).toEqual([200, 'close'])
    const answer = await slow
    expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close'])
    await expect(answer.json()).resolves.toEqual({ waitedMs: 900 })
    await expect(fixture.exit).resolves.toEqual({ code: 0, signal: null })
    expect(fixture.stdout.map(messageOf)).toEqual(['listening', 'stopping', 'closed queue', 'closed store', 'stopped'])
  })

  test('an idle kept-alive connection does not hold the process', async () => {
    await using fixture = startFixture([])
    const url = await fixture.url()
    await (await fetch(`${url}/public`)).text()
    fixture.kill('SIGINT')
    await expect(fixture.exit).resolves.toEqual({ code: 0, signal: null })
  })

  test('after the grace time it ends with 1 and says what hung', async () => {
    await using fixture = startFixture(['--hang-on-close', '--grace-ms', '300'])
    await fixture.url()
    fixture.kill('SIGTERM')
    await expect(fixture.exit).resolves.toEqual({ code: 1, signal: null })
    const line = fixture.stdout.find((text) => messageOf(text).startsWith('not stopped within 300 ms'))
    expect(JSON.parse(line ?? '{}')).toMatchObject({ level: 'fatal', waitingFor: 'queue', openRequests: [] })
  })

  test('a request that hangs is named', async () => {
    await using fixture = startFixture(['--grace-ms', '300'])
    const url = await fixture.url()
    const hanging = fetch(`${url}/slow?ms=60000`).catch((error: unknown) => error)
    await waitUntil(async () =>
      (await (await fetch(`${url}/metrics`)).text()).includes('in_flight{service="fixture"} 2'),
    )
    fixture.kill('SIGTERM')
    await expect(fixture.exit).resolves.toEqual({ code: 1, signal: null })
    expect(fixture.stdout.at(-1)).toContain('"waitingFor":"requests","openRequests":["GET /slow?ms=60000"]')
    await expect(hanging).resolves.toBeInstanceOf(Error)
  })

  test('requests that never arrive whole are cut half way through the grace time; what is answered goes on, all is closed, exit 0', async () => {
    await using fixture = startFixture(['--grace-ms', '8000'])
    const url = await fixture.url()
    const head = 'POST /things/a HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: 50\r\n'
    const halves = [`${head}\r\n{"am`, head].map((bytes) => rawExchange(url, bytes))
    const slow = fetch(`${url}/slow?ms=4500`)
    await waitUntil(async () =>
      (await (await fetch(`${url}/metrics`)).text()).includes('in_flight{service="fixture"} 3'),
    )
    fixture.kill('SIGTERM')
    for (const { closed, statuses } of await Promise.all(halves)) expect([closed, statuses]).toEqual([true, []])
    await expect((await slow).json()).resolves.toEqual({ waitedMs: 4500 })
    await expect(fixture.exit).resolves.toEqual({ code: 0, signal: null })
    expect(fixture.stdout.map(messageOf)).toEqual([
      'listening',
      'stopping',
      'cut: their requests did not arrive while draining',
      'closed queue',
      'closed store',
      'stopped',
    ])
  })

  test('a second signal ends it at once', async () => {
    await using fixture = startFixture(['--hang-on-close', '--grace-ms', '60000'])
    await fixture.url()
    fixture.kill('SIGTERM')
    await fixture.waitForLine(/closed queue/)
    fixture.kill('SIGTERM')
    await expect(fixture.exit).resolves.toEqual({ code: 143, signal: null })
  })

  test.each(['/reject', '/throw'])(
    'an error that nobody catches (%s) is logged as fatal and ends the process with 1',
    async (path) => {
      await using fixture = startFixture([])
      const url = await fixture.url()
      await fetch(`${url}${path}`).catch(() => undefined)
      await expect(fixture.exit).resolves.toEqual({ code: 1, signal: null })
      const last = JSON.parse(fixture.stdout.at(-1) ?? '{}')
      expect(last).toMatchObject({ level: 'fatal', msg: 'ending at once: nobody waits for me' })
      expect(last.err.stack).toContain('app.ts')
    },
  )

  test('a service that declares itself failed drains, closes and exits with 1', async () => {
    await using fixture = startFixture(['--lose-lock-after-ms', '1'])
    await expect(fixture.exit).resolves.toEqual({ code: 1, signal: null })
    expect(fixture.stdout.map(messageOf)).toEqual([
      'listening',
      'the lock is lost',
      'stopping',
      'closed queue',
      'closed store',
      'stopped',
    ])
  })
})

describe('tasks', () => {
  test('exit with what the body returns, and log to stderr', async () => {
    await using task = startFixture(['task', '--exit-code', '3'])
    await expect(task.exit).resolves.toEqual({ code: 3, signal: null })
    expect([task.stdout, task.stderr.map(messageOf)]).toEqual([[], ['working']])
  })

  test('exit with 1 and one sentence when the body throws', async () => {
    await using task = startFixture(['task', '--exit-code', '9'])
    await expect(task.exit).resolves.toEqual({ code: 1, signal: null })
    expect(task.stderr.at(-1)).toBe('fixture: nine is too much')
  })
})

function messageOf(line: string): string {
  const { msg }: { msg: string } = JSON.parse(line)
  return msg
}
