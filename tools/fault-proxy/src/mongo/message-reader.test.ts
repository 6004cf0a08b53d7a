import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deflateSync, zstdCompressSync } from 'node:zlib'
import { MessageReader } from './message-reader.ts'

/** `{ <command>: "x" }` as BSON. */
function body(command: string): Buffer {
  const element = Buffer.concat([
    Buffer.from([2]),
    Buffer.from(`${command}\0`),
    Buffer.from([2, 0, 0, 0]),
    Buffer.from('x\0'),
  ])
  const length = Buffer.alloc(4)
  length.writeInt32LE(4 + element.length + 1)
  return Buffer.concat([length, element, Buffer.from([0])])
}

function sequence(identifier: string, bytes: number): Buffer {
  const content = Buffer.concat([Buffer.from(`${identifier}\0`), Buffer.alloc(bytes, 7)])
  const length = Buffer.alloc(4)
  length.writeInt32LE(4 + content.length)
  return Buffer.concat([Buffer.from([1]), length, content])
}

function message(opcode: number, flags: number, ...sections: Buffer[]): Buffer {
  const header = Buffer.alloc(20)
  const rest = Buffer.concat(sections)
  header.writeInt32LE(header.length + rest.length, 0)
  header.writeInt32LE(opcode, 12)
  header.writeUInt32LE(flags, 16)
  return Buffer.concat([header, rest])
}

function compressed(plain: Buffer, compressor: number, compress: (bytes: Buffer) => Buffer): Buffer {
  const content = compress(plain.subarray(16))
  const header = Buffer.alloc(25)
  header.writeInt32LE(header.length + content.length, 0)
  header.writeInt32LE(2012, 12)
  header.writeInt32LE(2013, 16)
  header.writeInt32LE(plain.length - 16, 20)
  header.writeUInt8(compressor, 24)
  return Buffer.concat([header, content])
}

const section = (command: string): Buffer => Buffer.concat([Buffer.from([0]), body(command)])
const conversation = Buffer.concat([
  message(2004, 0, Buffer.from('a greeting of old')),
  message(2013, 0, section('insert'), sequence('documents', 5000)),
  message(2013, 2, sequence('documents', 3), section('update')),
  message(2013, 0, section('find')),
])
const expected = [
  { command: undefined, moreToCome: false },
  { command: 'insert', moreToCome: false },
  { command: 'update', moreToCome: true },
  { command: 'find', moreToCome: false },
]

describe('messages', () => {
  test('are found whole', () => {
    expect(new MessageReader().read(conversation)).toEqual(expected)
  })

  test('are found however the stream is cut into chunks', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: conversation.length - 1 }), { maxLength: 40 }), (cuts) => {
        const reader = new MessageReader()
        const edges = [0, ...cuts.toSorted((a, b) => a - b), conversation.length]
        const found = edges.slice(1).flatMap((end, i) => reader.read(conversation.subarray(edges[i], end)))
        expect(found).toEqual(expected)
      }),
    )
  })

  test('of an impossible length are an error, not an endless wait', () => {
    expect(() => new MessageReader().read(Buffer.alloc(16))).toThrow('cannot be 0 bytes long')
  })

  test('a message of 32 MB in pieces of 64 KB is not copied anew for each of them', () => {
    const large = message(2013, 0, section('insert'), sequence('documents', 32 * 1024 * 1024))
    const reader = new MessageReader()
    const startedMs = performance.now()
    const found = Array.from({ length: Math.ceil(large.length / 65_536) }, (_, piece) =>
      reader.read(large.subarray(piece * 65_536, (piece + 1) * 65_536)),
    )
    expect(found.flat()).toEqual([{ command: 'insert', moreToCome: false }])
    // 20 ms; copied each time it is 6 s.
    expect(performance.now() - startedMs).toBeLessThan(1500)
  })

  test.each([
    ['nothing', 0, (bytes: Buffer) => bytes],
    ['zlib', 2, (bytes: Buffer) => deflateSync(bytes)],
    ['zstd', 3, (bytes: Buffer) => zstdCompressSync(bytes)],
  ])('that are compressed by %s are looked into', (_, compressor, compress) => {
    const plain = message(2013, 2, section('insert'), sequence('documents', 5000))
    expect(new MessageReader().read(compressed(plain, compressor, compress))).toEqual([
      { command: 'insert', moreToCome: true },
    ])
  })

  test('that cannot be looked into are an error, not commands that nobody counted', () => {
    const snappy = compressed(message(2013, 0, section('insert')), 1, (bytes) => bytes)
    expect(() => new MessageReader().read(snappy)).toThrow('compressor 1 cannot be counted')
  })
})
