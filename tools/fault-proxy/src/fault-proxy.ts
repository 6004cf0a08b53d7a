import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { type Faults, known, noFaults } from './faults.ts'
import { WriteCommandMeter, type WriteCommandOptions } from './mongo/write-command-meter.ts'
import { pipe } from './pipe.ts'

export interface FaultProxyOptions {
  /** Any URL with host and port: `redis://127.0.0.1:6379`. */
  readonly target: string
  /** Understand MongoDB's wire protocol: count write commands, and with a cap hold them back. */
  readonly mongo?: WriteCommandOptions
  /** Default `Math.random`; a test that replays gives its own. */
  readonly random?: () => number
}

export interface FaultProxy extends AsyncDisposable {
  /** The target's URL with the proxy's host and port in place of its own. */
  readonly url: string
  readonly port: number
  readonly connections: number
  /** Bytes that `drop` swallowed so far, both directions. */
  readonly droppedBytes: number
  /** Present with `mongo`. */
  readonly writeCommands?: WriteCommandMeter
  /** Applies to open and new connections at once; what is not named keeps its value. */
  set(faults: Partial<Faults>): void
  /** All faults off; connections stay as they are. */
  heal(): void
  /** Ends every connection: in good order (FIN), or not (RST). New ones are welcome unless `refuse` is set. */
  cut(how: 'close' | 'reset'): void
}

/** A TCP proxy in front of any server, with faults that can be switched while it is used. Listens on loopback. */
export async function startFaultProxy({ target, mongo, random = Math.random }: FaultProxyOptions): Promise<FaultProxy> {
  const { hostname, port: targetPort } = new URL(target)
  const faults: Faults = { ...noFaults }
  const pairs = new Set<readonly [Socket, Socket]>()
  let droppedBytes = 0
  const onDropped = (count: number): void => void (droppedBytes += count)
  const meter = mongo && new WriteCommandMeter(mongo)

  const server = createServer({ allowHalfOpen: true }, (client) => {
    if (faults.refuse) {
      client.resetAndDestroy()
      return
    }
    const upstream = connect({ host: hostname, port: Number(targetPort), allowHalfOpen: true })
    const pair = [client, upstream] as const
    pairs.add(pair)
    let answered = 0
    const gate = meter?.connection()
    pipe({
      from: client,
      to: upstream,
      direction: 'requests',
      faults,
      random,
      ...(gate && { gate }),
      allowance: () => Infinity,
      onBytes: () => {},
      onDropped,
    })
    pipe({
      from: upstream,
      to: client,
      direction: 'answers',
      faults,
      random,
      onDropped,
      allowance: () => Math.max(0, Math.min(faults.resetAfterBytes, faults.closeAfterBytes) - answered),
      onBytes: (count) => {
        answered += count
        if (answered >= faults.resetAfterBytes) end(pair, 'reset')
        else if (answered >= faults.closeAfterBytes) end(pair, 'close')
      },
    })
    for (const [socket, other] of [pair, [upstream, client]] as const) {
      // One side that breaks takes the other with it, as a broken path would.
      socket.on('error', () => other.resetAndDestroy())
      socket.on('close', () => {
        if (client.destroyed && upstream.destroyed) pairs.delete(pair)
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const url = new URL(target)
  url.host = `127.0.0.1:${port}`

  const cut = (how: 'close' | 'reset'): void => {
    for (const pair of pairs) end(pair, how)
  }
  return {
    url: url.href,
    port,
    get droppedBytes() {
      return droppedBytes
    },
    get connections() {
      return pairs.size
    },
    ...(meter && { writeCommands: meter }),
    set: (change) => void Object.assign(faults, known(change)),
    heal: () => void Object.assign(faults, noFaults),
    cut,
    async [Symbol.asyncDispose]() {
      server.close()
      cut('reset')
      await once(server, 'close')
    },
  }
}

function end(pair: readonly Socket[], how: 'close' | 'reset'): void {
  for (const socket of pair) {
    if (how === 'reset') socket.resetAndDestroy()
    else socket.end(() => socket.destroy())
  }
}
