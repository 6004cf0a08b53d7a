import { isDigest, type NewEntry } from '@ballast/state-stores/blob'

/** A part of a URL that may be part of a namespace: an instance of a cache, a repository. */
export function isInstance(text: string | undefined): text is string {
  return text !== undefined && /^[a-z0-9][a-z0-9._-]{0,39}$/.test(text)
}

/** A name that says what the bytes are. */
export function contentEntry(namespace: string, digest: string | undefined): NewEntry | undefined {
  return digest !== undefined && isDigest(digest) ? { name: { namespace, key: digest }, digest } : undefined
}

/** A name that says nothing of the bytes: they may be replaced. No dots at its beginning, no slashes: it is no path. */
export function keyedEntry(namespace: string, key: string | undefined): NewEntry | undefined {
  return key !== undefined && /^[A-Za-z0-9_-][A-Za-z0-9._~:@+=-]{0,199}$/.test(key)
    ? { name: { namespace, key } }
    : undefined
}
