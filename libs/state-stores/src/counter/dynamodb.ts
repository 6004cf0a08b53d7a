import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { messageOf } from '../message-of.ts'
import { NotAppliedError, OutcomeUnknownError } from '../outcome.ts'
import { batchGet } from './dynamodb/batch-get.ts'
import { dynamoClient, asOutcome } from './dynamodb/client.ts'
import { applyToCounter, mostTokens, type TransactionOptions } from './dynamodb/counter-transaction.ts'
import { counterKey, decodeCounter, formatKey } from './dynamodb/items.ts'
import { scanCounters } from './dynamodb/scan.ts'
import { prepareTable, UnusableTableError } from './dynamodb/table.ts'
import { parseDynamoUrl, type DynamoTarget } from './dynamodb/url.ts'
import { isLive } from './fold.ts'
import { groupedCounterStore, type CounterEngine, type Settled } from './grouped.ts'
import { steadyNow, tokenLimits } from './options.ts'
import {
  StoreUnavailableError,
  type Counter,
  type CounterName,
  type CounterOp,
  type CounterOutcome,
  type CounterStore,
  type ScanOptions,
} from './port.ts'
import { callLimits, type ServerStoreOptions } from './server-options.ts'
import { startError } from '../start-error.ts'

export interface DynamoStoreOptions extends ServerStoreOptions {
  /** `dynamodb:///table?region=eu-west-1`, or `dynamodb://key:secret@host:port/table?region=...` for DynamoDB Local. */
  readonly url: string
}

/**
 * Counters in DynamoDB: one transaction per counter, so a batch of several counters is not applied as a whole: if one of
 * them fails, its caller's outcome is unknown, and a repetition under the same tokens completes it. More than 99 tokens on
 * one counter in one batch take several transactions. `maxTokens` counts for each counter. A removed counter leaves a
 * small item behind for good, which keeps its versions from coming back.
 *
 * Conditions cannot ask DynamoDB for the time, so expiries and the window of tokens go by the clock of this process;
 * several processes on one table need clocks that agree.
 */
export async function dynamoCounterStore(options: DynamoStoreOptions): Promise<CounterStore> {
  const { setting = '--store' } = options
  const target = parseDynamoUrl(options.url, setting)
  const limits = callLimits(options)
  const client = dynamoClient(target, limits)
  // Making a table takes longer than a call may.
  const preparing = dynamoClient(target, { timeoutMs: Math.max(limits.timeoutMs, 10_000) })
  try {
    await prepareTable(preparing, target.table)
    return groupedCounterStore(new DynamoEngine(client, target, options), options)
  } catch (error) {
    client.destroy()
    const trouble =
      error instanceof UnusableTableError
        ? new Error(`${target.name} cannot be used: ${error.message}`, { cause: error })
        : asOutcome(error, target.name)
    // What it says is all there is to say; the words of the SDK are its cause.
    throw startError(trouble.message, setting, trouble)
  } finally {
    preparing.destroy()
  }
}

class DynamoEngine implements CounterEngine {
  readonly capabilities = { atomicity: 'counter', durable: true, clock: 'process' } as const
  readonly maxOperations = mostTokens
  readonly #client: DynamoDBClient
  readonly #target: DynamoTarget
  readonly #transaction: TransactionOptions

  constructor(client: DynamoDBClient, target: DynamoTarget, options: DynamoStoreOptions) {
    const { random = Math.random, now = steadyNow } = options
    const { table, name } = target
    this.#client = client
    this.#target = target
    const limits = tokenLimits(options)
    const { resolveMs } = callLimits(options)
    this.#transaction = { client, table, name, limits, resolveMs, random, now, namespaces: new Set() }
  }

  nowMs(): number {
    return this.#transaction.now()
  }

  async commit(calls: readonly (readonly CounterOp[])[]): Promise<readonly Settled[]> {
    const groups = new Map<CounterName, Placed[]>()
    for (const [call, ops] of calls.entries()) {
      for (const [index, op] of ops.entries()) {
        const group = groups.get(op.name) ?? []
        groups.set(op.name, group)
        group.push({ op, call, index })
      }
    }
    const answers = calls.map(({ length }) => new CallAnswer(length))
    await Promise.all([...groups].map(([name, placed]) => this.#commitCounter(name, placed, answers)))
    return answers.map((answer) => answer.settled(this.#target.name))
  }

  async read(names: readonly string[]): Promise<readonly (Counter | undefined)[]> {
    const nowMs = this.nowMs()
    const items = await this.#ask(batchGet(this.#client, this.#target.table, [...new Set(names)].map(counterKey)))
    const found = new Map<CounterName, Counter>()
    for (const item of items) {
      const name = `${item['pk']?.S?.slice('counters#'.length)}/${item['sk']?.S}`
      const { counter } = decodeCounter(name, item)
      if (counter !== undefined && isLive(counter, nowMs)) found.set(name, counter)
    }
    return names.map((name) => found.get(name))
  }

  scan(scan: ScanOptions): Promise<readonly Counter[]> {
    return this.#ask(scanCounters(this.#client, this.#target.table, scan, this.nowMs()))
  }

  async check(): Promise<void> {
    const [format] = await this.#ask(batchGet(this.#client, this.#target.table, [formatKey]))
    if (format === undefined)
      throw new Error(`${this.#target.name} has lost the table ${this.#target.table}, or its content`)
  }

  async close(): Promise<void> {
    this.#client.destroy()
  }

  /** Never rejects. Operations with more tokens than one transaction takes go in several, one after the other. */
  async #commitCounter(name: CounterName, placed: readonly Placed[], answers: readonly CallAnswer[]): Promise<void> {
    let error: unknown
    for (const part of parts(placed)) {
      try {
        if (error !== undefined) throw new NotAppliedError(messageOf(error), { cause: error })
        const outcomes = await applyToCounter(
          name,
          part.map(({ op }) => op),
          this.#transaction,
        )
        for (const [at, { call, index }] of part.entries()) answers[call]?.put(index, outcomes[at])
      } catch (failure) {
        error = failure
        for (const { call } of part) answers[call]?.fail(failure)
      }
    }
  }

  async #ask<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer
    } catch (error) {
      throw new StoreUnavailableError(asOutcome(error, this.#target.name).message, { cause: error })
    }
  }
}

/** An operation, and whose it is. */
interface Placed {
  readonly op: CounterOp
  readonly call: number
  readonly index: number
}

function parts(placed: readonly Placed[]): Placed[][] {
  const found: Placed[][] = [[]]
  let tokens = 0
  for (const each of placed) {
    tokens += each.op.token === undefined ? 0 : 1
    if (tokens > mostTokens) {
      found.push([])
      tokens = 1
    }
    found.at(-1)?.push(each)
  }
  return found
}

/** What the counters of one caller's batch came to, together. */
class CallAnswer {
  readonly #outcomes: (CounterOutcome | undefined)[]
  #error: unknown

  constructor(length: number) {
    this.#outcomes = Array.from({ length })
  }

  put(index: number, outcome: CounterOutcome | undefined): void {
    this.#outcomes[index] = outcome
  }

  fail(error: unknown): void {
    if (this.#error === undefined || this.#error instanceof NotAppliedError) this.#error = error
  }

  settled(name: string): Settled {
    const outcomes = this.#outcomes.filter((outcome) => outcome !== undefined)
    if (this.#error === undefined && outcomes.length === this.#outcomes.length) return { outcomes }
    if (outcomes.length === 0 || !(this.#error instanceof NotAppliedError)) return { error: this.#error }
    const what = `${name} applied some of the counters and not others`
    return { error: new OutcomeUnknownError(`${what}: ${messageOf(this.#error)}`, { cause: this.#error }) }
  }
}
