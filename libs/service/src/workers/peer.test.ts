import { expect, test } from 'vitest'
import { Peer, type Message } from './peer.ts'

function pair(answer: (topic: string, body: unknown) => Promise<unknown>) {
  const sent: Message[] = []
  const left: Peer = new Peer({ send: (message) => (sent.push(message), right.receive(message)), answer })
  const right: Peer = new Peer({ send: (message) => left.receive(message), answer })
  return { left, sent }
}

test('questions of one turn go as one message and are answered each, in order', async () => {
  const seen: unknown[] = []
  const { left, sent } = pair(async (topic, body) => {
    seen.push(body)
    return `${topic} ${String(body)}`
  })
  const answers = await Promise.all([1n, 2n, 3n].map((body) => left.ask('double', body)))
  expect(answers).toEqual(['double 1', 'double 2', 'double 3'])
  expect(seen).toEqual([1n, 2n, 3n])
  expect(sent).toHaveLength(1)
})

test('what the other side throws comes as a sentence', async () => {
  const { left } = pair(() => Promise.reject(new TypeError('no such thing\nwith a stack')))
  await expect(left.ask('x', 1)).rejects.toThrow(/^no such thing$/)
})

test('whoever waits for one that is gone is told so', async () => {
  const peer = new Peer({ send: () => {}, answer: async () => {} })
  const asked = peer.ask('x', 1)
  peer.fail(new Error('it has ended'))
  await expect(asked).rejects.toThrow('it has ended')
})

test.each([undefined, null, 1, 'x', {}, { asked: 1 }, { cmd: 'NODE_x' }])('%j is no message of ours', (message) => {
  const peer = new Peer({
    send: () => {
      throw new Error('it answered')
    },
    answer: async () => {},
  })
  expect(() => peer.receive(message)).not.toThrow()
})
