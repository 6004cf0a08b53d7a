import { generate } from 'selfsigned'

export interface ServerCertificate {
  /** PEM; signs itself, so it is also the authority to trust. */
  readonly certificate: string
  readonly key: string
}

/** A throwaway certificate for loopback: P-256, one day. */
export async function makeCertificate(): Promise<ServerCertificate> {
  const notAfterDate = new Date(Date.now() + 86_400_000)
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notAfterDate,
    extensions: [
      { name: 'basicConstraints', cA: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  })
  return { certificate: cert, key }
}
