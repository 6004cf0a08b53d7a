import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { KubernetesObject } from './objects.ts'
import { deployFolder } from './render.ts'
import { isBuiltIn } from './schema.ts'

/** A type of an interface per kind, and each object as a constant of it: tsc then finds fields that the kind has not. */
function asLiterals(objects: readonly KubernetesObject[]): string {
  const kinds = [...new Set(objects.map(({ apiVersion, kind }) => `${apiVersion}/${kind}`))]
  const alias = (path: string): string => `Kind${kinds.indexOf(path)}`
  const imports = kinds.map((path) => {
    const kind = path.slice(path.lastIndexOf('/') + 1)
    return `import type { I${kind} as ${alias(path)} } from 'kubernetes-models/${path}'`
  })
  const constants = objects.map((object, index) => {
    const type = alias(`${object.apiVersion}/${object.kind}`)
    return `export const object${index}: ${type} = ${JSON.stringify(object, undefined, 1)}`
  })
  return [...imports, ...constants, ''].join('\n')
}

/** What tsc says of these objects, each once, without the path of the file; empty when they are of the types of their kinds. */
export async function typeErrors(objects: readonly KubernetesObject[]): Promise<string> {
  await mkdir(join(deployFolder, 'dist'), { recursive: true })
  const folder = await mkdtemp(join(deployFolder, 'dist/literals-'))
  try {
    await writeFile(join(folder, 'objects.ts'), asLiterals(unique(objects.filter(isBuiltIn))))
    const compilerOptions = { module: 'nodenext', strict: true, skipLibCheck: true, noEmit: true, types: [] }
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['objects.ts'] }))
    await promisify(execFile)('tsc', ['--pretty', 'false', '-p', folder], { maxBuffer: 64 << 20 })
    return ''
  } catch (error) {
    return String(Object(error).stdout).replaceAll(/^.*objects\.ts/gm, '')
  } finally {
    await rm(folder, { recursive: true })
  }
}

const unique = (objects: readonly KubernetesObject[]): KubernetesObject[] => [
  ...new Map(objects.map((object) => [JSON.stringify(object), object])).values(),
]
