import type { ConsoleOptions } from '@ballast/console'
import type { ServerOptions } from '@ballast/service'

/** What the page at /ui shows: the domain's metrics are all it needs. */
export const consoleOf = (server: ServerOptions): ConsoleOptions => ({ server, metrics: ['counter_'] })
