import { testServer, type App, type ServerOptions } from '@ballast/service'
import { openBlobStore, type BlobStore } from '@ballast/state-stores/blob'
import { onTestFinished } from 'vitest'
import packageJson from '../package.json' with { type: 'json' }
import { build, type BuildDeps } from './app.ts'

export interface TestAppOptions extends Partial<Omit<BuildDeps, 'server'>> {
  readonly quotaBytes?: number
  readonly server?: Partial<ServerOptions>
}

/** The app, on a store in memory unless another one is given; closed with the test. */
export async function testApp(options: TestAppOptions = {}): Promise<{ app: App; store: BlobStore }> {
  const { quotaBytes, server, ...deps } = options
  const store = deps.store ?? (await openBlobStore('memory:', quotaBytes === undefined ? {} : { quotaBytes }))
  const app = await build({
    ...deps,
    store,
    server: testServer('message-store', { version: packageJson.version, ...server }),
  })
  onTestFinished(() => app.close())
  return { app, store }
}
