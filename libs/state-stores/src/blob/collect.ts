/** Reads a source until it ends or passes `limitBytes`; `rest` continues it, and must be read or returned. */
export interface Beginning {
  readonly bytes: Buffer
  readonly rest: AsyncIterator<Uint8Array> | undefined
}

export async function beginningOf(
  source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  limitBytes: number,
  signal: AbortSignal | undefined,
): Promise<Beginning> {
  const rest = iterate(source)
  const pieces: Uint8Array[] = []
  let size = 0
  while (size <= limitBytes) {
    const next = await rest.next()
    if (signal?.aborted === true) {
      await rest.return(undefined)
      throw signal.reason
    }
    if (next.done === true) return { bytes: Buffer.concat(pieces), rest: undefined }
    pieces.push(next.value)
    size += next.value.length
  }
  return { bytes: Buffer.concat(pieces), rest }
}

async function* iterate(
  source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, undefined> {
  yield* source
  return undefined
}

export async function nextOf(source: AsyncIterator<Uint8Array>): Promise<Uint8Array | undefined> {
  const next = await source.next()
  return next.done === true ? undefined : next.value
}
