import { isAlive, startProcess, temporaryFolder, waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { findProgram } from './run.ts'

const module = new URL('process-server.ts', import.meta.url).href
const canChangeAccount = process.getuid?.() === 0 && findProgram('setpriv') !== undefined

test.runIf(canChangeAccount)('a server of another account ends with a parent that is killed', async () => {
  await using folder = await temporaryFolder()
  const launch = {
    prefix: ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'],
    command: 'sleep',
    args: ['600'],
  }
  const program = `import { ProcessServer } from ${JSON.stringify(module)}
    const launch = { ...${JSON.stringify(launch)}, url: '', ready: async () => {} }
    const server = new ProcessServer(launch, ${JSON.stringify(folder.path)})
    await server.start()
    console.log('pid ' + server.pid)
    setInterval(() => {}, 1000)`
  await using parent = startProcess({ args: ['--input-type=module', '-e', program] })
  const pid = Number((await parent.waitForLine(/^pid /)).slice(4))
  // Before its last exec it could not be told from one that is still to lose the signal.
  await waitUntil(async () => (await nameOf(pid)) === 'sleep', { what: 'the server program' })
  parent.kill('SIGKILL')
  await parent.exit
  await waitUntil(() => !isAlive(pid), { what: 'the server to end with its parent' })
  expect(isAlive(pid)).toBe(false)
})

async function nameOf(pid: number): Promise<string | undefined> {
  await using ps = startProcess({ command: 'ps', args: ['-o', 'comm=', '-p', String(pid)] })
  await ps.exit
  return ps.stdout[0]
}
