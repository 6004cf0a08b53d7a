import { expect, test } from 'vitest'
import { inspect } from './handshake.ts'

test('a server that still loads its data is not judged by what it says meanwhile', async () => {
  const fit = ['redis_version:7.0.15', 'role:master', 'maxmemory_policy:noeviction']
  let info = [...fit, 'loading:1', 'aof_enabled:0']
  const send = async (command: string | number) => Buffer.from(command === 'INFO' ? info.join('\r\n') : '')
  await expect(inspect(send, false)).rejects.toThrow('still reading its data')
  info = [...fit, 'loading:0', 'aof_enabled:1']
  await expect(inspect(send, false)).resolves.toMatchObject({ survivesRestart: true })
})
