import type { Digest } from '@ballast/state-stores/blob'

export type Compat = 'challenge' | 'sha256py'

/**
 * The bodies that clients compare byte for byte. Success bodies are those of the original service; so is the space after
 * the colon of the message, and none elsewhere. `sha256py` has its key in 404 and its escapes (Python's json.dumps).
 */
export interface WireFormat {
  readonly notFound: string
  created(digest: Digest): string
  deleted(digest: Digest): string
  message(text: string): string
  /** The same bytes in pieces, from pieces of UTF-8 that need not end between two characters. */
  messageStream(utf8: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer>
}

export function wireFormat(compat: Compat): WireFormat {
  const escape = compat === 'sha256py' ? escapeAsPython : escapeAsJson
  return {
    notFound: compat === 'sha256py' ? '{"err_message":"Message not found"}' : '{"err_msg": "Message not found"}',
    created: (digest) => `{"digest":"${digest}"}`,
    deleted: (digest) => `{"message_deleted":"${digest}"}`,
    message: (text) => `{"message": "${escape(text)}"}`,
    async *messageStream(utf8) {
      const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
      yield Buffer.from('{"message": "')
      for await (const piece of utf8) yield Buffer.from(escape(decoder.decode(piece, { stream: true })))
      yield Buffer.from(`${escape(decoder.decode())}"}`)
    },
  }
}

function escapeAsJson(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

function escapeAsPython(text: string): string {
  return escapeAsJson(text).replaceAll(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
