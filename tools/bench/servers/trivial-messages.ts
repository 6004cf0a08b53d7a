// The contract of the message store in the least code that Node can do it with: no checks, nothing kept.
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'

const [, , url = '', cert = '', key = ''] = process.argv
const messages = new Map<string, string>()

const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (request, response) => {
  const end = (status: number, body: string): void => {
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
    response.end(body)
  }
  if (request.method === 'POST') {
    let body = ''
    request.on('data', (piece: Buffer) => (body += piece.toString()))
    request.on('end', () => {
      const { message }: { message: string } = JSON.parse(body)
      const digest = hash('sha256', message)
      messages.set(digest, message)
      end(201, `{"digest":"${digest}"}`)
    })
    return
  }
  const digest = request.url?.slice('/messages/'.length) ?? ''
  const message = messages.get(digest)
  if (message === undefined) end(404, '{"err_msg": "Message not found"}')
  else if (request.method === 'GET') end(200, `{"message": ${JSON.stringify(message)}}`)
  else {
    messages.delete(digest)
    end(200, `{"message_deleted":"${digest}"}`)
  }
})
server.listen(Number(new URL(url).port), '127.0.0.1')
