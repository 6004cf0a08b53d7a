import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder, waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { createCertificate, type TestCertificate } from './certificates.ts'
import { secureGet } from './secure-get.ts'
import { startFixture } from './start-fixture.ts'

const authority = createCertificate({ commonName: 'test authority' })

async function write(folder: string, name: string, { certPem, keyPem }: TestCertificate): Promise<string[]> {
  const paths = [join(folder, `${name}.crt`), join(folder, `${name}.key`)]
  await writeFile(`${paths[0]}.new`, certPem)
  await writeFile(`${paths[1]}.new`, keyPem)
  for (const path of paths) await rename(`${path}.new`, path)
  return paths
}

test('TLS: the certificate is swapped when its files change, and on SIGHUP; a broken one is not taken', async () => {
  await using folder = await temporaryFolder()
  const [cert = '', key = ''] = await write(
    folder.path,
    'server',
    createCertificate({ commonName: 'first' }, authority),
  )
  await using fixture = startFixture(['--tls-cert', cert, '--tls-key', key])
  const url = `${await fixture.url()}/public`
  expect(url).toMatch(/^https:/)
  const trusted = { ca: authority.certPem }
  await expect(secureGet(url, trusted)).resolves.toEqual({ status: 200, body: '{"hello":"world"}', server: 'first' })
  await write(folder.path, 'server', createCertificate({ commonName: 'second' }, authority))
  await waitUntil(async () => (await secureGet(url, trusted)).server === 'second', {
    what: 'the changed file to be seen',
  })
  await writeFile(cert, 'no certificate')
  fixture.kill('SIGHUP')
  await fixture.waitForLine(/kept the old TLS certificate/)
  await expect(secureGet(url, trusted)).resolves.toMatchObject({ server: 'second' })
  fixture.kill('SIGTERM')
  await expect(fixture.exit).resolves.toEqual({ code: 0, signal: null })
})

test('mTLS: roles by certificate subject; probes without a certificate still reach the public routes', async () => {
  await using folder = await temporaryFolder()
  const [cert = '', key = ''] = await write(
    folder.path,
    'server',
    createCertificate({ commonName: 'server' }, authority),
  )
  const ca = join(folder.path, 'ca.crt')
  const subjects = join(folder.path, 'subjects')
  await writeFile(ca, authority.certPem)
  await writeFile(subjects, '# who may what\nreader:CN=alice\nadmin:OU=operations\n')
  await using fixture = startFixture([
    '--auth',
    'mtls',
    '--auth-subjects',
    subjects,
    '--tls-client-ca',
    ca,
    '--tls-cert',
    cert,
    '--tls-key',
    key,
  ])
  const url = await fixture.url()
  const as = (certificate?: TestCertificate) => ({
    ca: authority.certPem,
    ...(certificate === undefined ? {} : { cert: certificate.certPem, key: certificate.keyPem }),
  })
  const status = async (path: string, certificate?: TestCertificate) =>
    (await secureGet(`${url}${path}`, as(certificate))).status
  const alice = createCertificate({ commonName: 'alice' }, authority)
  const bob = createCertificate({ commonName: 'bob', organizationalUnit: 'operations' }, authority)
  const stranger = createCertificate({ commonName: 'mallory' }, authority)
  const forged = createCertificate({ commonName: 'alice' }, createCertificate({ commonName: 'test authority' }))
  expect(await status('/readyz')).toBe(200)
  expect(await status('/slow?ms=0')).toBe(401)
  expect(await status('/slow?ms=0', alice)).toBe(200)
  expect(await status('/admin', alice)).toBe(403)
  expect(await status('/admin', bob)).toBe(200)
  expect(await status('/slow?ms=0', stranger)).toBe(401)
  expect(await status('/slow?ms=0', forged)).toBe(401)
})

test('with a client CA and no roles, who shows no certificate does not get through the handshake', async () => {
  await using folder = await temporaryFolder()
  const [cert = '', key = ''] = await write(
    folder.path,
    'server',
    createCertificate({ commonName: 'server' }, authority),
  )
  const ca = join(folder.path, 'ca.crt')
  await writeFile(ca, authority.certPem)
  await using fixture = startFixture(['--tls-client-ca', ca, '--tls-cert', cert, '--tls-key', key])
  const url = `${await fixture.url()}/public`
  await expect(secureGet(url, { ca: authority.certPem })).rejects.toThrow(
    /certificate required|ECONNRESET|socket hang up/,
  )
  const client = createCertificate({ commonName: 'anyone' }, authority)
  const shown = { ca: authority.certPem, cert: client.certPem, key: client.keyPem }
  await expect(secureGet(url, shown)).resolves.toMatchObject({ status: 200 })
})

test('a key that does not fit its certificate is one sentence at the start', async () => {
  await using folder = await temporaryFolder()
  const [cert = ''] = await write(folder.path, 'one', createCertificate({ commonName: 'one' }))
  const [, key = ''] = await write(folder.path, 'other', createCertificate({ commonName: 'other' }))
  await using fixture = startFixture(['--tls-cert', cert, '--tls-key', key])
  await expect(fixture.exit).resolves.toEqual({ code: 2, signal: null })
  expect(fixture.stderr).toEqual([
    expect.stringMatching(/^fixture: cannot start: --tls-cert .* cannot be used: .*mismatch/),
  ])
})
