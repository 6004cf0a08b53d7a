export interface SplitUrl {
  /** Trimmed, the scheme in lower case. */
  readonly url: string
  /** Lower case, without the colon; empty when there is none. */
  readonly scheme: string
  /** What follows the colon. */
  readonly rest: string
}

/**
 * Takes the scheme off the URL of a store. Blanks around it, which come with pasting, and upper case, which RFC 3986
 * allows, are no reason to refuse it, and even less to show it: what a user gave may hold a password.
 */
export function splitScheme(given: string): SplitUrl {
  const trimmed = given.trim()
  const found = /^[a-z][a-z0-9+.-]*(?=:)/i.exec(trimmed)?.[0]
  if (found === undefined) return { url: trimmed, scheme: '', rest: trimmed }
  const scheme = found.toLowerCase()
  return { url: scheme + trimmed.slice(found.length), scheme, rest: trimmed.slice(found.length + 1) }
}

/** How a sentence names a URL that no store is for: by its scheme at most. */
export function namedByScheme({ scheme }: SplitUrl): string {
  return scheme === '' ? 'a URL without a scheme' : `"${scheme}:"`
}
