import { serviceProblems, type Routes } from '@ballast/service'
import type { WorkItemStore } from '@ballast/state-stores/work-item'
import { Type } from 'typebox'
import { joiningNames } from '../control-plane/joining.ts'
import { strategies, type Strategy } from '../control-plane/strategy.ts'
import { whatIf } from '../control-plane/what-if.ts'
import { problems } from '../problems.ts'

const Query = Type.Object({
  add: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000, default: 0, description: 'workers that join' })),
  join: Type.Optional(
    Type.String({
      maxLength: 10_000,
      description: 'their names, separated by commas; further ones get the lowest free numbers of the present names',
    }),
  ),
  remove: Type.Optional(
    Type.String({ maxLength: 10_000, description: 'names of workers that leave, separated by commas' }),
  ),
  strategy: Type.Optional(
    Type.String({
      maxLength: 100,
      description: `of ${strategies.join(', ')}, or active; separated by commas; default: all`,
    }),
  ),
})

const WhatIf = Type.Object({
  rows: Type.Integer(),
  workers: Type.Integer({ description: 'that take rows now' }),
  joining: Type.Array(Type.String(), {
    description: 'names of those that join: with others, other slots of the same size may move',
  }),
  unownedRows: Type.Integer({ description: 'rows that nobody would tick: all of them when no worker is left' }),
  strategies: Type.Array(
    Type.Object({
      strategy: Type.String(),
      active: Type.Boolean({ description: 'what the control plane works with' }),
      movedRows: Type.Integer({ description: "by the change, from this strategy's own map" }),
      movedSlots: Type.Integer(),
      minimumRows: Type.Integer({ description: 'the fewest rows that any plan must move to be even afterwards' }),
      maxOverMean: Type.Number({ description: 'largest load over its fair share, afterwards' }),
      adoptRows: Type.Integer({ description: 'rows that move when all goes over to this strategy first' }),
    }),
  ),
})

export interface WhatIfParts {
  readonly store: WorkItemStore
  readonly strategy: Strategy
  readonly zones: 'weights' | 'spread'
}

export const whatIfRoutes: Routes<WhatIfParts> = async (app, { store, strategy, zones }) => {
  app.get(
    '/v1/what-if',
    {
      config: { role: 'reader' },
      schema: {
        summary: 'What workers that join or leave would move, by each strategy. Nothing is changed',
        querystring: Query,
        response: { 200: WhatIf },
      },
    },
    async (request) => {
      const { add = 0, join = '', remove = '', strategy: asked = strategies.join() } = request.query
      const [members, { targets }, counts] = await Promise.all([
        store.leaders.members(),
        store.leaders.map(),
        store.leaders.estimateRows(),
      ])
      const living = members.filter(({ alive, draining }) => alive && !draining)
      const leaving = new Set(named(remove, living))
      const present = members.filter(({ alive }) => alive).map(({ name }) => name)
      const joining = joiningNames(present, { count: add, names: newcomers(join, present) })
      const rows = counts.reduce((sum, count) => sum + count, 0)
      return {
        rows,
        workers: living.length,
        joining,
        unownedRows: living.length - leaving.size + joining.length > 0 ? 0 : rows,
        strategies: whatIf({
          members: living,
          targets,
          counts,
          active: strategy,
          zones,
          joining,
          remove: [...leaving],
          asked: split(asked).map((word) => (word === 'active' ? strategy : strategyOf(word))),
        }),
      }
    },
  )
}

const split = (list: string): string[] =>
  list
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')

function strategyOf(word: string): Strategy {
  const found = strategies.find((strategy) => strategy === word)
  if (found === undefined) {
    const known = strategies.join(', ')
    throw problems.create('strategy-unknown', `${JSON.stringify(word)} is no strategy: ${known}`)
  }
  return found
}

function newcomers(list: string, present: readonly string[]): string[] {
  const names = [...new Set(split(list))]
  const known = names.find((name) => present.includes(name))
  if (known === undefined) return names
  throw serviceProblems.create('invalid-request', `join: ${JSON.stringify(known)} is there already; name who is not`)
}

function named(list: string, living: readonly { readonly name: string }[]): string[] {
  return split(list).map((word) => {
    if (!living.some(({ name }) => name === word)) {
      throw problems.create('worker-not-found', `no live worker is called ${JSON.stringify(word)}; see GET /v1/workers`)
    }
    return word
  })
}
