import { ask, digestOf, type History, type Interrupted, type Item } from './history.ts'

/** Writes something in one of the ways there are, and notes what was answered. */
export type Writer = (url: string, name: string, index: number, history: History) => Promise<void>

/** Every fifth one is large enough to be a file, of a size that is no multiple of a chunk. */
const textOf = (name: string, index: number): string =>
  `${name}/${index} `.repeat(index % 5 === 0 ? 14_000 + index * 100 : 1 + (index % 50))

const blobOf = (name: string, index: number): Item => {
  const bytes = Buffer.from(textOf(name, index))
  return { path: `/cas/${digestOf(bytes)}`, bytes }
}

const json = { 'content-type': 'application/json' }

const message: Writer = async (url, name, index, history) => {
  const text = textOf(name, index)
  const answer = await ask(`${url}/messages`, 'POST', JSON.stringify({ message: text }), json)
  const bytes = Buffer.from(`{"message": ${JSON.stringify(text)}}`)
  await history.add(url, answer?.status === 201, [{ path: `/messages/${digestOf(Buffer.from(text))}`, bytes }])
}

const blob: Writer = async (url, name, index, history) => {
  const item = blobOf(name, index)
  const answer = await ask(url + item.path, 'PUT', item.bytes)
  await history.add(url, answer?.status === 201, [item])
}

const batch: Writer = async (url, name, index, history) => {
  const items = Array.from({ length: 1 + (index % 4) }, (_, part) => blobOf(`${name}.${part}`, index))
  const blobs = items.map(({ path, bytes }) => ({
    digest: path.slice('/cas/'.length),
    base64: bytes.toString('base64'),
  }))
  const answer = await ask(`${url}/cas/batch/put`, 'POST', JSON.stringify({ blobs }), json)
  const stored =
    answer?.status === 200 && answer.bytes.toString().split('"status":"created"').length === items.length + 1
  await history.add(url, stored, items)
}

/** In three pieces; what is acknowledged of one that ends early is remembered. */
const upload: Writer = async (url, name, index, history) => {
  const begun = await ask(`${url}/cas/uploads`, 'POST')
  const location = begun?.status === 202 ? begun.headers.get('location') : null
  if (location === null) return
  const item = blobOf(name, index)
  const state: Interrupted = { ...item, location, acknowledgedBytes: 0, finishing: false }
  if (await complete(url, state, history)) await history.add(url, true, [item])
  else history.interrupted.push(state)
}

/** Goes on with an upload behind what is acknowledged; true when its end is. */
export async function complete(url: string, state: Interrupted, history: History): Promise<boolean> {
  const { location, bytes, path } = state
  const step = Math.ceil(bytes.length / 3)
  while (state.acknowledgedBytes < bytes.length) {
    const start = state.acknowledgedBytes
    const piece = bytes.subarray(start, start + step)
    history.parts++
    const range = { 'content-range': `${start}-${start + piece.length - 1}` }
    const answer = await ask(url + location, 'PATCH', piece, range)
    if (answer?.status !== 202) return false
    state.acknowledgedBytes += piece.length
  }
  state.finishing = true
  const ended = await ask(`${url}${location}?digest=sha256:${path.slice('/cas/'.length)}`, 'PUT')
  return ended?.status === 201
}

/** How many bytes of an upload the server has for good; undefined when it knows none. */
export async function progress(url: string, { location }: Interrupted): Promise<number | undefined> {
  const answer = await ask(url + location, 'GET')
  const last = /^0-(\d+)$/.exec(answer?.headers.get('range') ?? '')?.[1]
  if (answer?.status !== 204 || last === undefined) return undefined
  // Nothing and one byte look the same here, and no piece has one byte.
  return last === '0' ? 0 : Number(last) + 1
}

export const writers: readonly Writer[] = [message, blob, batch, upload]
