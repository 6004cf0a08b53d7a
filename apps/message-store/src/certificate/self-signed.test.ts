import { createPrivateKey, X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { selfSigned } from './self-signed.ts'

test('a certificate that others accept, for the names given and no others', () => {
  const { certPem, keyPem } = selfSigned(['store.example', '127.0.0.1'], 1_700_000_000_000, 1_800_000_000_000)
  const certificate = new X509Certificate(certPem)
  expect(certificate.checkHost('store.example')).toBe('store.example')
  expect(certificate.checkHost('other.example')).toBeUndefined()
  expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1')
  expect(certificate.checkIP('127.0.0.2')).toBeUndefined()
  expect(certificate.verify(certificate.publicKey)).toBe(true)
  expect(certificate.checkPrivateKey(createPrivateKey(keyPem))).toBe(true)
  expect(certificate.ca).toBe(true)
  expect([certificate.validFrom, certificate.validTo].map((text) => Date.parse(text))).toEqual([
    1_700_000_000_000, 1_800_000_000_000,
  ])
})
