import { startError } from '../../start-error.ts'

export interface DynamoTarget {
  readonly table: string
  readonly region: string
  /** Given for a server of one's own; AWS's is found by the region. */
  readonly endpoint?: string
  /** Missing: what the AWS SDK finds in environment, profile or instance. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string }
  /** How messages name the server. */
  readonly name: string
}

/**
 * `dynamodb:///table?region=eu-west-1` for AWS with its default credentials, or
 * `dynamodb://key:secret@host:port/table?region=...` for a server of one's own (no TLS, as DynamoDB Local has none).
 * Throws one sentence on anything else, never with the secret in it.
 */
export function parseDynamoUrl(text: string, setting: string): DynamoTarget {
  const wrong = (what: string): Error =>
    startError(`the DynamoDB URL ${what}: write dynamodb:///table?region=eu-west-1`, setting)
  if (!URL.canParse(text)) throw wrong('cannot be read')
  const { host, username, password, pathname, searchParams } = new URL(text)
  const unknown = [...searchParams.keys()].find((key) => key !== 'region')
  if (unknown !== undefined) throw wrong(`has a parameter "${unknown}", and only region is known`)
  const region = searchParams.get('region')
  if (region === null || region === '') throw wrong('names no region')
  const table = pathname.slice(1) || 'ballast-counters'
  if (!/^[A-Za-z0-9_.-]{3,255}$/.test(table)) throw wrong('has a table that is not 3 to 255 of A-Z a-z 0-9 _ . -')
  const where = host === '' ? region : host
  return {
    table,
    region,
    name: `DynamoDB at ${where}`,
    ...(host !== '' && { endpoint: `http://${host}` }),
    ...(username !== '' && {
      credentials: { accessKeyId: decodeURIComponent(username), secretAccessKey: decodeURIComponent(password) },
    }),
  }
}
