import type { CounterCapabilities } from './port.ts'

/** Of a server that applies a batch whole; `caveat`: what it can lose, as it was last seen. */
export const capabilitiesOf = (caveat: string | undefined): CounterCapabilities => ({
  atomicity: 'batch',
  durable: caveat === undefined,
  clock: 'store',
  ...(caveat !== undefined && { caveat }),
})
