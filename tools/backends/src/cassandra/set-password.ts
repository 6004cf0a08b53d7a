import { auth, Client } from 'cassandra-driver'

export const superuser = 'cassandra'

/**
 * Gives the superuser his password: a new node lets him in with his name. Rejects while the node is not ready for it.
 * Calling it again is harmless.
 */
export async function setPassword(host: string, port: number, password: string, ca?: string): Promise<void> {
  const as = (word: string): Client =>
    new Client({
      contactPoints: [`${host}:${port}`],
      localDataCenter: 'datacenter1',
      authProvider: new auth.PlainTextAuthProvider(superuser, word),
      ...(ca === undefined ? {} : { sslOptions: { ca, rejectUnauthorized: true } }),
      monitorReporting: { enabled: false },
    })
  if (await entered(as(password))) return
  const client = as(superuser)
  try {
    await client.connect()
    await client.execute(`ALTER ROLE ${superuser} WITH PASSWORD = '${password}'`)
  } finally {
    await client.shutdown()
  }
}

async function entered(client: Client): Promise<boolean> {
  try {
    await client.connect()
    return true
  } catch {
    return false
  } finally {
    await client.shutdown()
  }
}
