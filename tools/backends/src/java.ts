import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BackendUnavailableError, type BackendKind } from './backend.ts'
import { cached, cachedFolder } from './cache.ts'
import { installWithApt } from './debian.ts'
import { findProgram, run } from './run.ts'

export interface JavaProgram {
  readonly java: string
  /** Folder with all jars; `-cp <lib>/*`. */
  readonly lib: string
  /** Folder that holds `lib` and whatever `extra` made. */
  readonly folder: string
  /** Only looked for, and not in the cache. */
  readonly isToBeFetched: boolean
}

export interface JavaRecipe {
  readonly kind: BackendKind
  /** Look only: nothing is downloaded. */
  readonly fetch: boolean
  /** The `<dependencies>` of the pom, exactly pinned, with whatever else the pom needs around them. */
  readonly pom: string
  /** Further work on the fetched jars, such as compiling a launcher; part of the cached result. */
  readonly extra?: { readonly recipe: string; readonly program: string; make(folder: string): Promise<void> }
}

/** Resolves a server's jars with Maven into the shared cache, once. */
export async function javaProgram({ kind, fetch, pom, extra }: JavaRecipe): Promise<JavaProgram> {
  const java = await demand(kind, fetch, 'java', 'openjdk-17-jre-headless')
  const recipe = `${pom}\n${extra?.recipe ?? ''}`
  const isToBeFetched = cachedFolder(kind, recipe) === undefined
  if (isToBeFetched) {
    await demand(kind, fetch, 'mvn', 'maven')
    if (extra !== undefined) await demand(kind, fetch, extra.program, 'openjdk-17-jdk-headless')
  }
  const folder = fetch ? await cached(kind, recipe, (draft) => resolve(kind, pom, extra, draft)) : ''
  return { java, folder, lib: join(folder, 'lib'), isToBeFetched: isToBeFetched && !fetch }
}

async function resolve(kind: BackendKind, pom: string, extra: JavaRecipe['extra'], draft: string): Promise<void> {
  await writeFile(join(draft, 'pom.xml'), pomFile(kind, pom))
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', '-DoutputDirectory=lib']
  await run('mvn', ['-B', '-q', ...goal], { cwd: draft }).catch((cause: unknown) => {
    const said = cause instanceof Error ? cause.message : String(cause)
    throw new BackendUnavailableError(kind, `Maven could not fetch it (${said})`)
  })
  await extra?.make(draft)
}

async function demand(kind: BackendKind, fetch: boolean, program: string, debianPackage: string): Promise<string> {
  const path = findProgram(program) ?? (fetch ? await installWithApt(debianPackage, program) : undefined)
  if (path !== undefined) return path
  throw new BackendUnavailableError(kind, `there is no ${program} on PATH; on Debian: apt-get install ${debianPackage}`)
}

function pomFile(kind: string, content: string): string {
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId><artifactId>${kind}</artifactId><version>1</version><packaging>pom</packaging>
${content}
</project>
`
}

/** Flags that make a JVM start fast and stay small on two cores. */
export const smallJvm = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']

/** Quiet logging for servers that use logback. */
export async function writeLogback(folder: string): Promise<string> {
  const path = join(folder, 'logback.xml')
  await mkdir(folder, { recursive: true })
  await writeFile(
    path,
    `<configuration>
  <appender name="OUT" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%d{HH:mm:ss.SSS} %-5level %logger{0} - %msg%n</pattern></encoder>
  </appender>
  <root level="WARN"><appender-ref ref="OUT"/></root>
</configuration>
`,
  )
  return path
}
