import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { BackendKind } from '../backend.ts'

/** The services are named after the kinds. */
export const composeFile = fileURLToPath(new URL('../../../../deploy/backends.compose.yaml', import.meta.url))

/** The image that the compose file pins for this kind, with its tag. */
export function imageOf(kind: BackendKind): { readonly name: string; readonly tag: string } {
  const service = new RegExp(`^  ${kind}:\\n(?:    .*\\n)*?    image: (\\S+):(\\S+)$`, 'm')
  const [, name, tag] = service.exec(readFileSync(composeFile, 'utf8')) ?? []
  if (name === undefined || tag === undefined) throw new Error(`${composeFile} pins no image for ${kind}`)
  return { name: `${name}:${tag}`, tag }
}
