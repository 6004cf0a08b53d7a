import { connect } from 'node:net'

/**
 * Rejects when somebody listens there. Without it the other program's answers would be taken for those of the server
 * that is about to fail on the port.
 */
export function refuseTakenPort(port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host)
    socket.setTimeout(2_000, () => socket.destroy(new Error('no answer')))
    socket.once('connect', () => {
      socket.destroy()
      reject(new Error(`port ${port} of ${host} is in use by another program: give a free one, or none`))
    })
    socket.once('error', () => resolve())
  })
}
