import fc from 'fast-check'
import { expect, test } from 'vitest'
import { wireFormat } from './wire-format.ts'

const digest = 'a'.repeat(64)
const challenge = wireFormat('challenge')
const sha256py = wireFormat('sha256py')

test('the bodies of the challenge', () => {
  expect(challenge.created(digest)).toBe(`{"digest":"${digest}"}`)
  expect(challenge.created(digest)).toHaveLength(77)
  expect(challenge.deleted(digest)).toBe(`{"message_deleted":"${digest}"}`)
  expect(challenge.deleted(digest)).toHaveLength(86)
  expect(challenge.notFound).toBe('{"err_msg": "Message not found"}')
  expect(challenge.message('foo')).toBe('{"message": "foo"}')
})

test('what sha256py says otherwise', () => {
  expect(sha256py.notFound).toBe('{"err_message":"Message not found"}')
  expect(sha256py.notFound).toHaveLength(35)
  expect(sha256py.message('A'.repeat(20))).toHaveLength(35)
  // As json.dumps writes it.
  expect(sha256py.message('é\u{1f600}\u007f"\\\n\u0001\u2028')).toBe(
    String.raw`{"message": "\u00e9\ud83d\ude00\u007f\"\\\n\u0001\u2028"}`,
  )
})

test('a message is its JSON with a space after the colon; in sha256py it is ASCII', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(challenge.message(text)).toBe(`{"message": ${JSON.stringify(text)}}`)
      const ascii = sha256py.message(text)
      expect(ascii).toMatch(/^[ -~]*$/)
      expect(JSON.parse(ascii)).toEqual({ message: text })
    }),
  )
})

test('a stream is the same bytes, wherever the pieces are cut', async () => {
  const text = fc.string({ unit: 'binary', maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(text, fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 60 }), async (message, cuts) => {
      async function* pieces(): AsyncGenerator<Buffer> {
        let rest = Buffer.from(message)
        for (const cut of cuts) {
          yield rest.subarray(0, cut)
          rest = rest.subarray(cut)
        }
        yield rest
      }
      for (const format of [challenge, sha256py]) {
        const streamed: Buffer[] = []
        for await (const piece of format.messageStream(pieces())) streamed.push(piece)
        expect(String(Buffer.concat(streamed))).toBe(format.message(message))
      }
    }),
  )
})
