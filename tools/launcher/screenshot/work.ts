import { setTimeout as delay } from 'node:timers/promises'

/** Requests to each service through the console, a witness, and a worker that is paused for a third of the time. */
export async function work(url: string, token: string, forMs: number): Promise<void> {
  const stop = AbortSignal.timeout(forMs)
  const ask = (path: string, method = 'POST', body?: unknown): Promise<unknown> =>
    fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
      .then((response) => response.text())
      .catch(() => {})
  const again = async (everyMs: number, step: (round: number) => Promise<unknown>): Promise<void> => {
    for (let round = 0; !stop.aborted; round++) {
      await step(round)
      await delay(everyMs)
    }
  }
  await ask('/scaler/v1/rows', 'POST', { count: 10_000 })
  await ask('/chaos/witness/start')
  await Promise.all([
    ...Array.from({ length: 4 }, () =>
      again(20, (round) => ask(`/counter/v1/counters/shop/orders-${round % 5}/add`, 'POST', {})),
    ),
    again(40, (round) =>
      ask('/message-store/messages', 'POST', { message: `${round} ${'x'.repeat((round * 37) % 900)}` }),
    ),
    again(50, () => ask('/load-tolerant-api/api/data', 'GET')),
    delay(forMs / 2).then(() => ask('/chaos/processes/worker-1/pause')),
    delay(forMs * 0.8).then(() => ask('/chaos/processes/worker-1/resume')),
  ])
}
