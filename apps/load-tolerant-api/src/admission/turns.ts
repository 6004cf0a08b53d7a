import { Ring } from './ring.ts'

/** What a turn needs of a connection: not to be read from for a while. */
export interface Pausable {
  readonly destroyed: boolean
  pause(): unknown
  resume(): unknown
}

/**
 * Answered connections that may ask again in the turn of an arrival: who is new has waited for longer than any of them. In each
 * further turn without one it is twice as many, so that the newcomer's request and what it asks a store still fall into short turns.
 */
const withArrival = 1
/** And in the end. Under the 1,024 connections that libuv reads before it asks which others are ready, up to 48 times a turn. */
const most = 512

/**
 * Makes the event loop's turns short while connections arrive. Node accepts one connection a turn (libuv since 1.46), and in a
 * turn it reads all connections that are ready: thousands which ask again as soon as they are answered make turns of half a
 * second, and of many seconds when they are answered within it, so that others, a probe among them, waited for minutes to be accepted
 * and timers for as long. So in the turns after an arrival a connection that was answered is not read from until a later turn, in the
 * order of the answers.
 *
 * Nobody waits for a connection that is silent: each turn lets the next ones go on, whatever the ones before did. Where thousands never
 * stop asking some always wait, and turns stay short: to pause and resume costs a microsecond or two of a request. Otherwise nothing is
 * paused once none arrives, and an answer costs one comparison.
 */
export class Turns {
  readonly #nextTurn: (action: () => void) => void
  readonly #waiting = new Ring<Pausable>()
  #answered = 0
  #perTurn = most
  #isScheduled = false

  /** `nextTurn` calls back once the event loop has looked at all connections: `setImmediate`. */
  constructor(nextTurn: (action: () => void) => void = (action) => void setImmediate(action)) {
    this.#nextTurn = nextTurn
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** A connection was accepted. */
  arrived(): void {
    this.#perTurn = withArrival
    this.#schedule()
  }

  /** A connection was answered. */
  answered(connection: Pausable): void {
    if (!this.#isScheduled) return
    this.#answered++
    if (this.#answered <= withArrival && this.waiting === 0) return
    connection.pause()
    this.#waiting.push(connection)
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#nextTurn(() => this.#turn())
  }

  #turn(): void {
    this.#isScheduled = false
    this.#answered = 0
    const going = Math.min(this.waiting, this.#perTurn)
    const isGrowing = this.#perTurn < most
    this.#perTurn = Math.min(most, 2 * this.#perTurn)
    for (let count = 0; count < going; count++) {
      const connection = this.#waiting.takeOldest()
      if (connection?.destroyed === false) connection.resume()
    }
    if (this.waiting > 0 || isGrowing) this.#schedule()
  }
}
