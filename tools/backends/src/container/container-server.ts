import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { isAlive } from '@ballast/testing'
import type { BackendKind, ContainerLaunch } from '../backend.ts'
import { run } from '../run.ts'
import type { Server } from '../server.ts'
import { composeFile } from './compose-file.ts'
import type { Engine } from './engine.ts'

const stopGraceSeconds = 15

/**
 * A server in a container of its own: the compose file's service in a project that bears this process' number. Its data
 * are in the container and go with it.
 */
export class ContainerServer implements Server {
  readonly pid = undefined
  readonly logFile: string
  readonly #engine: Engine
  readonly #kind: BackendKind
  readonly #launch: ContainerLaunch
  readonly #project: string
  #exists = false
  #paused = false

  constructor(engine: Engine, kind: BackendKind, launch: ContainerLaunch, folder: string) {
    this.#engine = engine
    this.#kind = kind
    this.#launch = launch
    this.#project = `${projectPrefix}${process.pid}-${kind}`
    this.logFile = join(folder, 'server.log')
  }

  async start(): Promise<void> {
    if (this.#exists) {
      await this.#compose('start', this.#kind)
    } else {
      await removeOrphans(this.#engine)
      this.#exists = true
      await this.#compose('up', '--detach', this.#kind)
    }
    this.#follow()
    try {
      await this.#launch.ready()
    } catch (error) {
      await this.remove()
      throw error
    }
  }

  async stop(): Promise<void> {
    await this.resume()
    await this.#compose('stop', '--timeout', String(stopGraceSeconds), this.#kind)
  }

  async kill(): Promise<void> {
    // Engines refuse to kill what is paused.
    await this.resume()
    await this.#compose('kill', this.#kind)
  }

  async pause(): Promise<void> {
    await this.#compose('pause', this.#kind)
    this.#paused = true
  }

  async resume(): Promise<void> {
    if (!this.#paused) return
    await this.#compose('unpause', this.#kind)
    this.#paused = false
  }

  async remove(): Promise<void> {
    if (!this.#exists) return
    await this.resume()
    await this.#compose('down', '--volumes', '--timeout', String(stopGraceSeconds))
    this.#exists = false
  }

  /** Copies what the container says, from its start on; ends by itself with the container. */
  #follow(): void {
    const log = openSync(this.logFile, 'w')
    const env = { ...process.env, ...this.#launch.environment }
    const args = this.#args(['logs', '--follow', '--no-color', this.#kind])
    spawn(this.#engine.program, args, { env, stdio: ['ignore', log, log] }).once('error', () => {})
    closeSync(log)
  }

  #compose(...words: string[]): Promise<string> {
    return run(this.#engine.program, this.#args(words), { env: this.#launch.environment })
  }

  #args(words: readonly string[]): string[] {
    return ['compose', '--file', composeFile, '--project-name', this.#project, ...words]
  }
}

/** The engine may serve several machines, each with processes of the same numbers. */
const projectPrefix = `ballast-${hostname()
  .toLowerCase()
  .replace(/[^a-z0-9]/g, '')}-`

/** Containers outlive a guard that was killed: the engine started them. Those whose guard is gone are removed here. */
async function removeOrphans({ program }: Engine): Promise<void> {
  const listing = await run(program, ['ps', '--all', '--filter', `name=^${projectPrefix}`, '--format', '{{.Names}}'])
  const projects = new Set(
    listing.split('\n').flatMap((name) => new RegExp(`^(${projectPrefix}(\\d+)-[a-z0-9]+)[-_]`).exec(name)?.[1] ?? []),
  )
  for (const project of projects) {
    const guard = Number(/-(\d+)-[a-z0-9]+$/.exec(project)?.[1])
    if (isAlive(guard)) continue
    await run(program, ['compose', '--file', composeFile, '--project-name', project, 'down', '--volumes'])
  }
}
