import type { Ticked, Watched, WorkerLease, WorkerSide } from '@ballast/state-stores/work-item'

/**
 * What a worker prints each second. The store is asked for the ids only when the lease or the set of credited rows has changed; while
 * nothing changes, the same list is printed without another query.
 */
export class Watching {
  readonly #workers: WorkerSide
  readonly #limit: number
  #key = ''
  #watched: Watched = { rows: 0, ids: [], fingerprint: '0' }

  constructor(workers: WorkerSide, limit: number) {
    this.#workers = workers
    this.#limit = limit
  }

  async after({ rows, fingerprint }: Ticked, lease: WorkerLease): Promise<Watched> {
    const key = `${lease.fence.epoch}/${rows}/${fingerprint}`
    if (key !== this.#key) {
      this.#watched = await this.#workers.watched(lease, this.#limit)
      this.#key = key
    }
    return this.#watched
  }
}
