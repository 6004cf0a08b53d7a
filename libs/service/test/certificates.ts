import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'

/** A certificate for tests, made here in DER, so that tests need no openssl and the repository holds no private key. */
export interface TestCertificate {
  readonly certPem: string
  readonly keyPem: string
  readonly name: Buffer
  readonly key: KeyObject
}

export interface Subject {
  readonly commonName: string
  readonly organizationalUnit?: string
}

/** Valid for an hour, for localhost and 127.0.0.1; signed by `issuer`, or by itself and then a CA. */
export function createCertificate(
  { commonName, organizationalUnit }: Subject,
  issuer?: TestCertificate,
): TestCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const units = organizationalUnit === undefined ? [] : [attribute('55040b', organizationalUnit)]
  const name = sequence(attribute('550403', commonName), ...units)
  const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'))
  const alternativeNames = sequence(der(0x82, Buffer.from('localhost')), der(0x87, Buffer.from([127, 0, 0, 1])))
  const extensions = [sequence(oid('551d11'), der(0x04, alternativeNames))]
  if (issuer === undefined)
    extensions.push(sequence(oid('551d13'), der(0x04, sequence(der(0x01, Buffer.from([0xff]))))))
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1, ...Buffer.from(commonName).subarray(0, 8)])),
    ecdsaWithSha256,
    issuer?.name ?? name,
    sequence(time(Date.now() - 60_000), time(Date.now() + 3_600_000)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  )
  const signature = sign('sha256', body, issuer?.key ?? privateKey)
  const certificate = sequence(body, ecdsaWithSha256, der(0x03, Buffer.from([0]), signature))
  const base64 = certificate.toString('base64').replaceAll(/.{64}/g, '$&\n')
  return {
    certPem: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    name,
    key: privateKey,
  }
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, ...parts)
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'))
}

function attribute(oidHex: string, value: string): Buffer {
  return der(0x31, sequence(oid(oidHex), der(0x0c, Buffer.from(value))))
}

function time(ms: number): Buffer {
  return der(0x18, Buffer.from(`${new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+Z/g, '')}Z`))
}
