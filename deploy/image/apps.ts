import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** What an image and a deployment need to know of an app. A role is a command of the app: the word after its image's entrypoint. */
export interface App {
  readonly name: string
  /** Of its environment variables. */
  readonly prefix: string
  readonly roles: readonly string[]
  readonly summary: string
  /** For the Node of its image. */
  readonly nodeOptions?: string
}

export const apps: readonly App[] = [
  { name: 'counter', prefix: 'COUNTER', roles: ['serve'], summary: 'Durable counters over HTTP' },
  { name: 'message-store', prefix: 'MESSAGE_STORE', roles: ['serve'], summary: 'Messages and blobs by their SHA-256' },
  {
    name: 'scaler',
    prefix: 'SCALER',
    roles: ['control-plane', 'worker'],
    summary: 'Spreads the rows of a table over workers',
    // Its steps leave garbage four times a second and keep nothing: with Node's 16 MB per half of the young generation a control plane at
    // rest holds 127 MB, with 2 it holds 105.
    nodeOptions: '--max-semi-space-size=2',
  },
  {
    name: 'load-tolerant-api',
    prefix: 'LOAD_TOLERANT_API',
    roles: ['api', 'consumer'],
    summary: 'Takes write bursts in front of a slow database, and loses nothing',
  },
]

/** Ports of every container, whatever the role. */
export const ports = { http: 8080, metrics: 9090 } as const
/** Nobody, as far as the image is concerned; the owner of /data. */
export const userId = 10_001

export async function versionOf(app: App): Promise<string> {
  const manifest: { version: string } = JSON.parse(await readFile(`${root}/apps/${app.name}/package.json`, 'utf8'))
  return manifest.version
}
