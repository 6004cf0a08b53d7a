import type { Routes } from '@ballast/service'
import type { CounterOutcome } from '@ballast/state-stores/counter'
import { Type, type Static } from 'typebox'
import {
  AddBody,
  addIntent,
  removeIntent,
  SetBody,
  setIntent,
  withCondition,
  type Intent,
} from '../counter-operation.ts'
import type { CounterDeps } from '../deps.ts'
import { readIdempotencyKey } from '../idempotency.ts'
import { Int64Output, toInt64 } from '../numbers.ts'
import { refuseConditions } from '../preconditions.ts'
import { wantsMinimal } from '../prefer.ts'
import { codeOf, detailOf, refusalProblem } from '../refusals.ts'
import { AppliedView, appliedView, CounterView, counterView } from '../representation.ts'
import { NamePart } from './counter.ts'
import { BatchHeaders, Minimal } from './write-headers.ts'

const target = {
  namespace: NamePart,
  name: NamePart,
  ifVersion: Type.Optional(
    Type.Union([Type.Literal('any'), Int64Output], {
      description: 'Only at this version; "0": only if absent; "any": only if it exists.',
    }),
  ),
}
const closed = { additionalProperties: false }
const Operation = Type.Union([
  Type.Object({ op: Type.Literal('add'), ...target, ...AddBody.properties }, closed),
  Type.Object({ op: Type.Literal('set'), ...target, ...SetBody.properties }, closed),
  Type.Object({ op: Type.Literal('remove'), ...target }, closed),
])
const Body = Type.Object({ operations: Type.Array(Operation, { minItems: 1, maxItems: 1000 }) }, closed)

const Outcome = Type.Union([
  Type.Object({ ok: Type.Literal(true), replayed: Type.Boolean(), ...AppliedView.properties }),
  Type.Object({
    ok: Type.Literal(false),
    replayed: Type.Boolean(),
    code: Type.String({ description: 'As in the error of the single operation.' }),
    detail: Type.String(),
    current: Type.Optional(CounterView),
  }),
])
const Answer = Type.Object({
  atomicity: Type.Union([Type.Literal('batch'), Type.Literal('counter')], {
    description: 'batch: all operations became durable in one step; counter: those of each counter did.',
  }),
  outcomes: Type.Array(Outcome),
})

function intentOf(operation: Static<typeof Operation>): Intent {
  const { namespace, name, ifVersion } = operation
  const full = `${namespace}/${name}`
  const intent =
    operation.op === 'add'
      ? addIntent(full, operation)
      : operation.op === 'set'
        ? setIntent(full, operation)
        : removeIntent(full)
  if (ifVersion === undefined) return intent
  return withCondition(intent, { ifVersion: ifVersion === 'any' ? 'any' : toInt64(ifVersion, 'ifVersion') })
}

function outcomeView(name: string, outcome: CounterOutcome): Static<typeof Outcome> {
  const { replayed } = outcome
  if (outcome.ok) return { ok: true, replayed, ...appliedView(name, outcome) }
  const current = outcome.current === undefined ? {} : { current: counterView(outcome.current) }
  return { ok: false, replayed, code: codeOf(outcome.reason), detail: detailOf(name, outcome), ...current }
}

/** `POST /v1/batch`: many operations in one commit, with an outcome each. */
export const batchRoutes: Routes<CounterDeps> = async (app, { store, writer }) => {
  const { atomicity } = store.capabilities
  app.post(
    '/v1/batch',
    {
      config: { role: 'writer' },
      schema: {
        summary: 'Apply up to 1,000 operations in order; one that is refused does not stop the others',
        headers: BatchHeaders,
        body: Body,
        response: { 200: Answer, 204: Minimal },
      },
    },
    async (request, reply) => {
      refuseConditions(request.headers)
      const key = readIdempotencyKey(request.headers['idempotency-key'])
      const intents = request.body.operations.map(intentOf)
      const scope = `${request.principal.name} batch`
      const outcomes = await writer.write(
        intents,
        key === undefined ? undefined : { scope, key },
        request.principal.name,
      )
      void reply.header('counter-durability', writer.durability)
      const named = outcomes.map((outcome, index) => ({ name: intents[index]?.op.name ?? '', outcome }))
      for (const { name, outcome } of named) {
        // A key of another request, or no room for any of this one's: that is an answer to the request, not to a part of it.
        if (!outcome.ok && outcome.reason === 'token-mismatch') throw refusalProblem(name, outcome)
      }
      const first = named[0]
      if (first?.outcome.ok === false && outcomes.every((each) => !each.ok && each.reason === 'token-window-full')) {
        throw refusalProblem(first.name, first.outcome)
      }
      if (outcomes.every(({ replayed }) => replayed)) void reply.header('idempotency-replayed', 'true')
      if (wantsMinimal(request.headers.prefer) && outcomes.every(({ ok }) => ok)) {
        return reply.code(204).header('preference-applied', 'return=minimal').send(null)
      }
      return { atomicity, outcomes: named.map(({ name, outcome }) => outcomeView(name, outcome)) }
    },
  )
}
