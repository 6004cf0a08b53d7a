import { readFileSync } from 'node:fs'
import { messageOf } from '../../message-of.ts'
import { percentDecode } from '../../percent-decode.ts'
import { startError } from '../../start-error.ts'

export interface DynamoTarget {
  readonly table: string
  readonly region: string
  /** Given for a server of one's own; AWS's is found by the region. */
  readonly endpoint?: string
  /** PEM of the authority to trust instead of those of the system. */
  readonly ca?: string
  /** Missing: what the AWS SDK finds in environment, profile or instance. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string }
  /** How messages name the server. */
  readonly name: string
}

const parameters: readonly string[] = ['region', 'tls', 'ca']

/**
 * `dynamodb:///table?region=eu-west-1` for AWS with its default credentials, or
 * `dynamodb://key:secret@host:port/table?region=...` for a server of one's own: without TLS, as DynamoDB Local has none,
 * unless `tls=true` asks for it or `ca=<file>` names the authority to trust (PEM; implies TLS).
 * Throws one sentence on anything else, never with the secret in it.
 */
export function parseDynamoUrl(text: string, setting: string): DynamoTarget {
  const wrong = (what: string, cause?: unknown): Error =>
    startError(`the DynamoDB URL ${what}: write dynamodb:///table?region=eu-west-1`, setting, cause)
  if (!URL.canParse(text)) throw wrong('cannot be read')
  const { host, username, password, pathname, searchParams } = new URL(text)
  const unknown = [...searchParams.keys()].find((key) => !parameters.includes(key))
  if (unknown !== undefined) throw wrong(`has a parameter "${unknown}", and only ${parameters.join(', ')} are known`)
  const region = searchParams.get('region')
  if (region === null || region === '') throw wrong('names no region')
  const table = pathname.slice(1) || 'ballast-counters'
  if (!/^[A-Za-z0-9_.-]{3,255}$/.test(table)) throw wrong('has a table that is not 3 to 255 of A-Z a-z 0-9 _ . -')
  const [tls, caFile] = [searchParams.get('tls'), searchParams.get('ca')]
  if (tls !== null && tls !== 'true' && tls !== 'false') throw wrong(`has tls=${tls}, which is neither true nor false`)
  if (host === '' && (tls === 'false' || caFile !== null)) {
    throw wrong(
      'has tls=false or a ca and no host, and AWS is always reached over TLS with the authorities of the system',
    )
  }
  if (tls === 'false' && caFile !== null) throw wrong('has a ca, which only TLS uses, and tls=false')
  const encrypted = tls === 'true' || caFile !== null
  const where = host === '' ? region : host
  return {
    table,
    region,
    name: `DynamoDB at ${where}`,
    ...(host !== '' && { endpoint: `http${encrypted ? 's' : ''}://${host}` }),
    ...(caFile !== null && { ca: readAuthority(caFile, wrong) }),
    ...(username !== '' && { credentials: readCredentials(username, password, wrong) }),
  }
}

type Wrong = (what: string, cause: unknown) => Error

function readCredentials(username: string, password: string, wrong: Wrong): NonNullable<DynamoTarget['credentials']> {
  try {
    return { accessKeyId: percentDecode(username), secretAccessKey: percentDecode(password) }
  } catch (error) {
    throw wrong(messageOf(error), error)
  }
}

function readAuthority(path: string, wrong: Wrong): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw wrong(`names a ca file that cannot be read (${messageOf(cause)})`, cause)
  }
}
