import type { ConsoleOptions } from '@ballast/console'
import type { ServerOptions } from '@ballast/service'
import type { DocumentStore } from '@ballast/state-stores/document'

const metrics = ['load_tolerant_api_']

/** What the page at /ui shows beside the metrics: what is stored, which no process counts for the others. */
export const consoleOf = (server: ServerOptions, documents: DocumentStore): ConsoleOptions => ({
  server,
  metrics,
  state: async () => ({ stored: await documents.count() }),
})

export const consumerConsole = (server: ServerOptions, commandsPerSecond: number): ConsoleOptions => ({
  server,
  service: 'consumer',
  metrics,
  state: async () => ({ commandsPerSecond }),
})
