import { doctorCommand, storeCheck } from '@ballast/service'
import { openCache } from '@ballast/state-stores/cache'
import { openDocumentStore } from '@ballast/state-stores/document'
import { openStream } from '@ballast/state-stores/stream'
import { apiConfig, consumerConfig, settings } from './config.ts'

/** Of both processes, as one without the other is of no use. */
const config = { ...apiConfig, options: { ...consumerConfig.options, ...apiConfig.options } }

/** The command `doctor`. */
export const doctor = doctorCommand(config, ({ stream, documents, cache }) => [
  storeCheck('--stream', stream, (url) => openStream(url, { setting: settings.stream })),
  storeCheck('--documents', documents, (url) => openDocumentStore(url, { setting: settings.documents })),
  storeCheck('--cache', cache, (url) => openCache(url, { setting: settings.cache })),
])
