import type { RequestTemplate } from './options.ts'

const placeholder = '{unique}'
const uniqueLength = 16

/** Returns a function that yields the bytes of the next request as a string; all have the same length. */
export function requestBytes(
  { method, path, headers = {}, body = '' }: RequestTemplate,
  host: string,
  seed: number,
): () => string {
  const lengthOf = (text: string): number =>
    Buffer.byteLength(text) + (text.split(placeholder).length - 1) * (uniqueLength - placeholder.length)
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `host: ${host}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(body === '' ? [] : [`content-length: ${lengthOf(body)}`]),
  ]
  const text = `${lines.join('\r\n')}\r\n\r\n${body}`
  if (!text.includes(placeholder)) return () => text
  const parts = text.split(placeholder)
  const prefix = seed.toString(36).padStart(6, '0').slice(-6)
  let count = 0
  return () => parts.join(prefix + (count++).toString(36).padStart(uniqueLength - prefix.length, '0'))
}
