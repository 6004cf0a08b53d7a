import { createHash } from 'node:crypto'
import { isDigest, type EntryName } from '@ballast/state-stores/blob'

/** What a path under /v2/ means (OCI distribution-spec, "Endpoints"). Digests are hex. */
export type OciTarget =
  | { readonly kind: 'begin'; readonly repository: string }
  | { readonly kind: 'tags'; readonly repository: string }
  | { readonly kind: 'upload'; readonly repository: string; readonly id: string }
  | { readonly kind: 'blob'; readonly repository: string; readonly digest: string }
  | { readonly kind: 'manifest'; readonly repository: string; readonly reference: Reference }

export type Reference = { readonly digest: string } | { readonly tag: string }

const repositoryPattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
const endings = /^(.*)\/(blobs\/uploads\/?|blobs\/uploads\/([^/]+)|blobs\/([^/]+)|manifests\/([^/]+)|tags\/list)$/

/** Undefined: no such endpoint, or a name that breaks the rules. */
export function targetOf(path: string): OciTarget | undefined {
  const [, repository = '', ending = '', id, blob, manifest] = endings.exec(path.slice(0, 600)) ?? []
  if (path.length > 600 || repository.length > 255 || !repositoryPattern.test(repository)) return undefined
  if (ending === 'tags/list') return { kind: 'tags', repository }
  if (ending === 'blobs/uploads' || ending === 'blobs/uploads/') return { kind: 'begin', repository }
  if (id !== undefined) return { kind: 'upload', repository, id }
  const digest = hexOf(blob ?? manifest ?? '')
  if (blob !== undefined) return digest === undefined ? undefined : { kind: 'blob', repository, digest }
  if (digest !== undefined) return { kind: 'manifest', repository, reference: { digest } }
  return isTag(manifest) ? { kind: 'manifest', repository, reference: { tag: manifest } } : undefined
}

export function hexOf(digest: string): string | undefined {
  const hex = digest.startsWith('sha256:') ? digest.slice(7) : ''
  return isDigest(hex) ? hex : undefined
}

function isTag(text: string | undefined): text is string {
  return text !== undefined && /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/.test(text)
}

export type OciKind = 'blobs' | 'manifests' | 'types' | 'tags'

/** Names of repositories are longer than a namespace may be, and have slashes: 160 bits of their digest stand for them. */
export function ociName(kind: OciKind, repository: string, key: string): EntryName {
  return { namespace: `oci.${kind}.${createHash('sha256').update(repository).digest('hex').slice(0, 40)}`, key }
}
