import { generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto'

export interface Certificate {
  /** PEM. It is its own authority: clients trust it by `ca: cert`. */
  readonly cert: string
  readonly key: string
}

const oid = {
  commonName: '550403',
  subjectAltName: '551d11',
  ecdsaWithSha256: '2a8648ce3d040302',
} as const

/**
 * A throwaway self-signed P-256 certificate for localhost and 127.0.0.1, valid for a day. Node can make keys and
 * signatures but no certificate, and `openssl` is not on every machine; this is the little DER (RFC 5280 section 4.1)
 * that is missing.
 */
export function selfSignedCertificate(now = new Date()): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = sequence(set(sequence(objectId(oid.commonName), der(0x0c, Buffer.from('localhost')))))
  const algorithm = sequence(objectId(oid.ecdsaWithSha256))
  const alternatives = sequence(der(0x82, Buffer.from('localhost')), der(0x87, Buffer.from([127, 0, 0, 1])))
  const content = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    // Positive and not empty: the first bit is 0, the second 1.
    integer(Buffer.concat([Buffer.from([0x40]), randomBytes(15)])),
    algorithm,
    name,
    sequence(time(new Date(now.getTime() - 3_600_000)), time(new Date(now.getTime() + 86_400_000))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(sequence(objectId(oid.subjectAltName), der(0x04, alternatives)))),
  )
  const signature = der(0x03, Buffer.concat([Buffer.from([0]), sign('sha256', content, privateKey)]))
  const cert = new X509Certificate(sequence(content, algorithm, signature))
  return { cert: cert.toString(), key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
}

function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content)
  const length = body.length < 0x80 ? [body.length] : [0x82, body.length >> 8, body.length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), body])
}

const sequence = (...items: readonly Uint8Array[]): Buffer => der(0x30, ...items)
const set = (...items: readonly Uint8Array[]): Buffer => der(0x31, ...items)
const integer = (bytes: Uint8Array): Buffer => der(0x02, bytes)
const objectId = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'))

/** UTCTime, which reaches to 2049. */
function time(date: Date): Buffer {
  const digits = date.toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  return der(0x17, Buffer.from(digits.slice(2)))
}
