import type { Counter, CounterStore } from '@ballast/state-stores/counter'

export type Pair = readonly [source: Counter | undefined, target: Counter | undefined]

const pageSize = 500

/** Goes over two stores side by side in the order of names. One page of each is in memory. */
export async function* pairs(source: CounterStore, target: CounterStore): AsyncGenerator<Pair> {
  const [left, right] = [all(source), all(target)]
  let [a, b] = [await next(left), await next(right)]
  while (a !== undefined || b !== undefined) {
    if (b === undefined || (a !== undefined && a.name < b.name)) {
      yield [a, undefined]
      a = await next(left)
    } else if (a === undefined || b.name < a.name) {
      yield [undefined, b]
      b = await next(right)
    } else {
      yield [a, b]
      ;[a, b] = [await next(left), await next(right)]
    }
  }
}

async function* all(store: CounterStore): AsyncGenerator<Counter> {
  for (let after: string | undefined; ;) {
    const page = await store.scan({ limit: pageSize, ...(after !== undefined && { after }) })
    yield* page
    after = page.at(-1)?.name
    if (page.length < pageSize || after === undefined) return
  }
}

async function next(counters: AsyncGenerator<Counter>): Promise<Counter | undefined> {
  const { value, done } = await counters.next()
  return done === true ? undefined : value
}
