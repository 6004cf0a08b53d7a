import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** The native protocol's OPTIONS request (opcode 5), which a node answers with SUPPORTED (6) once it serves clients. */
export function answersOptions(host: string, port: number, ca?: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const ask = (): void => void socket.write(Buffer.from([4, 0, 0, 0, 5, 0, 0, 0, 0]))
    const socket = ca === undefined ? connect(port, host, ask) : connectTls({ host, port, ca }, ask)
    socket.setTimeout(2_000, () => socket.destroy(new Error('no answer')))
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('closed without an answer')))
    socket.once('data', (frame: Buffer) => {
      if (frame[4] === 6) resolve()
      else reject(new Error(`opcode ${frame[4]} instead of SUPPORTED`))
      socket.destroy()
    })
  })
}
