import { connect } from 'node:net'

/**
 * GETs `sizeBytes` and drops them; more, fewer, or another answer is an error. Node's own HTTP client takes longer for
 * a piece than the server does to verify and send it, and would be what is measured: here all is read into one buffer.
 */
export function download(url: string, sizeBytes: number): Promise<void> {
  const { hostname, port, pathname } = new URL(url)
  return new Promise((resolve, reject) => {
    const buffer = Buffer.allocUnsafeSlow(1 << 20)
    let head = ''
    let received: number | undefined
    const socket = connect({
      host: hostname,
      port: Number(port),
      onread: {
        buffer,
        callback(bytes) {
          if (received !== undefined) received += bytes
          else {
            head += buffer.toString('latin1', 0, bytes)
            const end = head.indexOf('\r\n\r\n')
            if (end >= 0) received = head.length - end - 4
          }
          return true
        },
      },
    })
    socket.once('error', reject).once('end', () => {
      if (head.startsWith('HTTP/1.1 200 ') && received === sizeBytes) resolve()
      else reject(new Error(`GET ${url}: ${received ?? 0} bytes of ${sizeBytes} after ${head.split('\r\n', 1)[0]}`))
    })
    socket.write(`GET ${pathname} HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`)
  })
}
