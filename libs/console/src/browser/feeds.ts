import { isRecord, isSample, type Sample } from '../sample.ts'
import { views } from '../views/index.ts'
import { connect, type Link } from './connection.ts'

/** Two minutes. */
const kept = 240

export interface Feed {
  readonly service: string
  readonly now: Sample | undefined
  readonly before: Sample | undefined
  /** Why nothing is heard of it; undefined while something is. */
  readonly down: string | undefined
  /** By plot: the times in seconds, then a row of values for each line. Null: it was down; undefined: nothing to measure. */
  readonly history: readonly (readonly (readonly Value[])[])[]
}

export interface Access {
  readonly scheme: string
  readonly name: string
  readonly role: string
}

export interface ProcessState {
  readonly name: string
  readonly service: string
  readonly state: string
  readonly paused: boolean
  readonly pid: number | null
  readonly restarts: number
}

export interface Promised {
  readonly service: string
  readonly what: string
  readonly acknowledged: number
  readonly found: number
  readonly missing: number
  readonly doubled?: number
  readonly trouble?: string
}

/** What the launcher says of itself; undefined on the page of one service. */
export interface PlatformState {
  readonly processes: readonly ProcessState[]
  readonly witness: {
    readonly running: boolean
    readonly promises: readonly Promised[]
    readonly checkedAtMs: number | null
  }
}

export interface Model {
  readonly link: Link
  readonly access: Access | undefined
  readonly version: string
  readonly feeds: ReadonlyMap<string, Feed>
  readonly platform: PlatformState | undefined
}

export type Value = number | null | undefined
type History = Value[][][]

/** All that the page knows; changed by the stream alone. Holds two minutes and no more, however long the page is open. */
export class Feeds {
  #model: Model = {
    link: { kind: 'connecting' },
    access: undefined,
    version: '',
    feeds: new Map(),
    platform: undefined,
  }
  readonly #histories = new Map<string, History>()
  readonly #listeners = new Set<() => void>()
  readonly #url: string
  #stop: () => void = () => {}

  constructor(url: string) {
    this.#url = url
  }

  get model(): Model {
    return this.#model
  }

  /** Also to come back with another token. */
  start(): void {
    this.#stop()
    this.#stop = connect(
      this.#url,
      ({ event, data }) => this.#heard(event, data),
      (link) => this.#set({ link }),
    )
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  #heard(event: string, data: unknown): void {
    if (!isRecord(data)) return
    if (event === 'hello' && isRecord(data['access'])) {
      const { scheme, name, role } = data['access']
      const access = { scheme: String(scheme), name: String(name), role: String(role) }
      this.#set({ access, version: typeof data['version'] === 'string' ? data['version'] : '' })
    } else if (event === 'sample' && isSample(data)) this.#sampled(data)
    else if (event === 'down') this.#wentDown(String(data['service']), String(data['why']))
    // The launcher and this page are of one build.
    else if (event === 'platform') this.#set({ platform: data as unknown as PlatformState })
  }

  #sampled(now: Sample): void {
    const { now: before } = this.#model.feeds.get(now.service) ?? {}
    const plots = views[now.service]?.plots ?? []
    const history: History = this.#histories.get(now.service) ?? plots.map(({ lines }) => [[], ...lines.map(() => [])])
    this.#histories.set(now.service, history)
    for (const [index, { lines }] of plots.entries()) {
      const [times, ...rows] = history[index] ?? []
      times?.push(now.atMs / 1000)
      for (const [row, values] of rows.entries()) values.push(lines[row]?.of(now, before))
      for (const values of history[index] ?? []) if (values.length > kept) values.shift()
    }
    this.#feed(now.service, { now, before, down: undefined, history })
  }

  /** The lines of its plots are interrupted, once. */
  #wentDown(service: string, why: string): void {
    const feed = this.#model.feeds.get(service)
    if (feed?.now !== undefined && feed.down === undefined) {
      for (const [times, ...rows] of this.#histories.get(service) ?? []) {
        times?.push(Date.now() / 1000)
        for (const values of rows) values.push(null)
      }
    }
    this.#feed(service, { down: why })
  }

  #feed(service: string, change: Partial<Feed>): void {
    const old = this.#model.feeds.get(service) ?? {
      service,
      now: undefined,
      before: undefined,
      down: undefined,
      history: [],
    }
    this.#set({ feeds: new Map(this.#model.feeds).set(service, { ...old, ...change }) })
  }

  #set(change: Partial<Model>): void {
    this.#model = { ...this.#model, ...change }
    for (const listener of this.#listeners) listener()
  }
}
