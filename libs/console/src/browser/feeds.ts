import { isRecord, isSample, type Sample } from '../sample.ts'
import { views } from '../views/index.ts'
import { connect, type Link } from './connection.ts'

/** Two minutes. */
const kept = 240
/** Rates and means are over so long a time: over less, a few events a second look like a comb. */
const windowMs = 2_000
/** Samples come twice a second; a service that is silent for so long is slow. */
const slowAfterMs = 2_000
/** Listeners are told at once, and then so often at most: what comes together is drawn together. */
const tellEveryMs = 100

export interface Feed {
  readonly service: string
  readonly now: Sample | undefined
  /** The first one of the last two seconds, or else the one before `now`. */
  readonly before: Sample | undefined
  /** Why nothing is heard of it; undefined while something is. */
  readonly down: string | undefined
  /** For how long it has been silent, in whole seconds; 0 while it is not slow. */
  readonly silentS: number
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
  /** Samples of the last two seconds, the latest last. */
  readonly #recent = new Map<string, Sample[]>()
  readonly #heardAtMs = new Map<string, number>()
  readonly #listeners = new Set<() => void>()
  readonly #url: string
  readonly #connect: typeof connect
  #stop: () => void = () => {}
  #toldAtMs = Number.NEGATIVE_INFINITY
  #telling: ReturnType<typeof setTimeout> | undefined

  constructor(url: string, connectTo: typeof connect = connect) {
    this.#url = url
    this.#connect = connectTo
  }

  get model(): Model {
    return this.#model
  }

  /** Also to come back with another token. */
  start(): void {
    this.#stop()
    const disconnect = this.#connect(
      this.#url,
      ({ event, data }) => this.#heard(event, data),
      (link) => this.#set({ link }),
    )
    const watch = setInterval(() => this.#watchSilence(), 1_000)
    this.#stop = () => {
      disconnect()
      clearInterval(watch)
    }
  }

  stop(): void {
    this.#stop()
    clearTimeout(this.#telling)
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
      // Another process may answer now.
      this.#recent.clear()
      this.#set({ access, version: typeof data['version'] === 'string' ? data['version'] : '' })
    } else if (event === 'sample' && isSample(data)) this.#sampled(data)
    else if (event === 'down') this.#wentDown(String(data['service']), String(data['why']))
    // The launcher and this page are of one build.
    else if (event === 'platform') this.#set({ platform: data as unknown as PlatformState })
  }

  #sampled(now: Sample): void {
    const before = this.#before(now)
    const plots = views[now.service]?.plots ?? []
    const history: History = this.#histories.get(now.service) ?? plots.map(({ lines }) => [[], ...lines.map(() => [])])
    this.#histories.set(now.service, history)
    for (const [index, { lines }] of plots.entries()) {
      const [times, ...rows] = history[index] ?? []
      times?.push(now.atMs / 1000)
      for (const [row, values] of rows.entries()) values.push(lines[row]?.of(now, before))
      for (const values of history[index] ?? []) if (values.length > kept) values.shift()
    }
    this.#heardAtMs.set(now.service, performance.now())
    this.#feed(now.service, { now, before, down: undefined, silentS: 0, history })
  }

  #before(now: Sample): Sample | undefined {
    const earlier = (this.#recent.get(now.service) ?? []).filter(({ atMs }) => atMs < now.atMs)
    const within = earlier.filter(({ atMs }) => now.atMs - atMs <= windowMs)
    this.#recent.set(now.service, [...within, now])
    return within[0] ?? earlier.at(-1)
  }

  #watchSilence(): void {
    for (const [service, { down, now, silentS }] of this.#model.feeds) {
      if (down !== undefined || now === undefined) continue
      const silentMs = performance.now() - (this.#heardAtMs.get(service) ?? 0)
      const nextS = silentMs < slowAfterMs ? 0 : Math.floor(silentMs / 1_000)
      if (nextS !== silentS) this.#feed(service, { silentS: nextS })
    }
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
    this.#recent.delete(service)
    this.#feed(service, { down: why, silentS: 0 })
  }

  #feed(service: string, change: Partial<Feed>): void {
    const old = this.#model.feeds.get(service) ?? {
      service,
      now: undefined,
      before: undefined,
      down: undefined,
      silentS: 0,
      history: [],
    }
    this.#set({ feeds: new Map(this.#model.feeds).set(service, { ...old, ...change }) })
  }

  #set(change: Partial<Model>): void {
    this.#model = { ...this.#model, ...change }
    if (this.#telling !== undefined) return
    const waitMs = this.#toldAtMs + tellEveryMs - performance.now()
    if (waitMs <= 0) this.#tell()
    else this.#telling = setTimeout(() => this.#tell(), waitMs)
  }

  #tell(): void {
    this.#telling = undefined
    this.#toldAtMs = performance.now()
    for (const listener of this.#listeners) listener()
  }
}
