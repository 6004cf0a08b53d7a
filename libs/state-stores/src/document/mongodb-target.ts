import { messageOf } from '../message-of.ts'
import { percentDecode } from '../percent-decode.ts'

/** Where a MongoDB deployment is, and which collection is meant. */
export interface MongoTarget {
  /** For the driver: without the collection. */
  readonly uri: string
  readonly database: string
  readonly collection: string
  /** For sentences and logs: without user, password and options. */
  readonly label: string
  /** Names of the options that the URL sets. */
  readonly given: ReadonlySet<string>
}

/**
 * Reads `mongodb://user:password@host:27017/database/collection?option=value` (also `mongodb+srv:` and several hosts); the
 * database is `assessmentdb` and the collection `records` when the path leaves them out.
 */
export function parseMongoUrl(url: string): MongoTarget {
  const parts = /^(mongodb(?:\+srv)?:\/\/)((?:[^@/?]*@)?)([^@/?]+)(?:\/([^?]*))?(?:\?(.*))?$/.exec(url)
  // A slash in the password would make the rest of it part of the path, and of every message.
  if (parts?.[4]?.includes('@') === true) {
    throw new Error('the mongodb: URL has an @ in its path; in user and password, / is %2F and @ is %40')
  }
  // The same with a question mark; no option of the driver has an @ in its value.
  if (parts?.[5]?.includes('@') === true) {
    throw new Error('the mongodb: URL has an @ in its options; in user and password, ? is %3F and @ is %40')
  }
  if (parts === null) {
    throw new Error('the mongodb: URL is not of the form mongodb://user:password@host:port/database/collection')
  }
  const [, scheme = '', login = '', hosts = '', path = '', query = ''] = parts
  // What the driver would say of it is not what to do.
  decodePart(login)
  const [database, collection, ...more] = path.split('/').map(decodePart)
  const name = database === undefined || database === '' ? 'assessmentdb' : database
  const label = `${scheme}${hosts}/${name}`
  if (more.length > 0) throw new Error(`${label}: the path names a database and a collection, nothing else`)
  return {
    uri: `${scheme}${login}${hosts}/${encodeURIComponent(name)}${query === '' ? '' : `?${query}`}`,
    database: name,
    collection: collection === undefined || collection === '' ? 'records' : collection,
    label,
    given: new Set(new URLSearchParams(query).keys()),
  }
}

function decodePart(part: string): string {
  try {
    return percentDecode(part)
  } catch (cause) {
    throw new Error(`the mongodb: URL ${messageOf(cause)}`, { cause })
  }
}
