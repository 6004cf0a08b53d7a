/** Bytes that no server should take for a request, by what is wrong with them. */
export function malformedRequests(path: string): Readonly<Record<string, string>> {
  const get = (...lines: string[]): string => [`GET ${path} HTTP/1.1`, 'Host: test', ...lines, '', ''].join('\r\n')
  const post = (lines: readonly string[], body: string): string =>
    [`POST ${path} HTTP/1.1`, 'Host: test', 'Content-Type: application/json', ...lines, '', body].join('\r\n')
  return {
    'a TLS hello on a plain port': '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003',
    'no HTTP at all': 'hello there, who are you?\r\n\r\n',
    'the HTTP/2 preface': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'an HTTP version from the future': `GET ${path} HTTP/9.9\r\nHost: test\r\n\r\n`,
    'no Host header': `GET ${path} HTTP/1.1\r\n\r\n`,
    'two Host headers': get('Host: other'),
    'an unknown method': `FROBNICATE ${path} HTTP/1.1\r\nHost: test\r\n\r\n`,
    'a space in the URL': `GET ${path} x HTTP/1.1\r\nHost: test\r\n\r\n`,
    'a broken escape in the URL': `GET /%E0%A4%A HTTP/1.1\r\nHost: test\r\n\r\n`,
    'a header without a name': get(': nothing'),
    'a space before the colon of a header': get('X-Thing : 1'),
    'a folded header': get('X-Thing: 1', '  folded: 2'),
    'a NUL in a header': get('X-Thing: a\u0000b'),
    'a bare carriage return in a header': get('X-Thing: a\rb'),
    'headers of 64 KiB': get(`X-Thing: ${'a'.repeat(65_536)}`),
    '5,000 headers': get(...Array.from({ length: 5_000 }, (_, index) => `X-Thing-${index}: 1`)),
    'a URL of 64 KiB': `GET /${'a'.repeat(65_536)} HTTP/1.1\r\nHost: test\r\n\r\n`,
    'an expectation that nobody meets': get('Expect: a-pony'),
    'a negative content length': post(['Content-Length: -5'], '{}'),
    'a content length in hexadecimal': post(['Content-Length: 0x10'], '{}'),
    'two content lengths that differ (smuggling)': post(['Content-Length: 2', 'Content-Length: 40'], '{}'),
    'content length and chunks at once (smuggling, CL.TE)': post(
      ['Content-Length: 6', 'Transfer-Encoding: chunked'],
      '0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: test\r\n\r\n',
    ),
    'chunks under a disguise (smuggling, TE.TE)': post(
      ['Transfer-Encoding: xchunked', 'Content-Length: 4'],
      '5c\r\nGET /smuggled HTTP/1.1\r\nHost: test\r\n\r\n0\r\n\r\n',
    ),
    'an encoding after chunked': post(['Transfer-Encoding: chunked, identity'], '2\r\n{}\r\n0\r\n\r\n'),
    'a chunk size that is no number': post(['Transfer-Encoding: chunked'], 'zz\r\n{}\r\n0\r\n\r\n'),
    'a chunk size beyond 64 bits': post(['Transfer-Encoding: chunked'], 'FFFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n'),
    'chunk extensions of 64 KiB': post(['Transfer-Encoding: chunked'], `2;${'a'.repeat(65_536)}\r\n{}\r\n0\r\n\r\n`),
  }
}

/** Bodies that are no JSON, or not the JSON that anyone expects, by what is wrong with them. */
export const malformedBodies: Readonly<Record<string, string | Buffer>> = {
  nothing: '',
  'half an object': '{"a":',
  'a trailing comma': '{"a":1,}',
  'invalid UTF-8': Buffer.from([0x22, 0xff, 0xfe, 0x22]),
  'a number that is none': 'NaN',
  'a poisoned prototype': '{"__proto__":{"admin":true}}',
  'a poisoned constructor': '{"constructor":{"prototype":{"admin":true}}}',
  'twenty thousand brackets': '['.repeat(20_000),
}
