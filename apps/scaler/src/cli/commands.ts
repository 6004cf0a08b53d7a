import { command, ConfigError, type Command, type Service } from '@ballast/service'
import type {
  AutoscaleAnswer,
  Explained,
  History,
  Pause,
  PlanAnswer,
  RowPage,
  WhatIfAnswer,
  Workers,
} from './answers.ts'
import { connectTo, type Ask, type ClientOptions } from './client.ts'
import { cliConfigs } from './config.ts'
import * as show from './show.ts'
import { limitsChange, rowsAction } from './words.ts'

type Print = (line: string) => void

interface Common extends ClientOptions {
  readonly json: boolean
}

/** The commands that talk to a control plane: each asks one thing and shows the answer, as text or with --json as it came. */
export function cliCommands(print: Print): Record<string, Command> {
  const asking =
    <C extends Common>(body: (ask: Ask, service: Service<C>, tell: Tell) => Promise<void>) =>
    async (service: Service<C>): Promise<void> => {
      const { config } = service
      const tell: Tell = (answer, text) => print(config.json ? JSON.stringify(answer) : text(answer))
      await body(connectTo(config), service, tell)
    }
  const task = { kind: 'task' } as const
  const { workers, drain, pause, resume, rows, explain, plan, limits, autoscale, history } = cliConfigs
  return {
    workers: command(
      workers,
      asking(async (ask, _service, tell) => tell(await ask<Workers>('GET', '/v1/workers'), show.showWorkers)),
      task,
    ),
    drain: command(
      drain,
      asking(async (ask, { operands: [name = ''] }, tell) => {
        const path = `/v1/workers/${encodeURIComponent(name)}/drain`
        tell(await ask<{ name: string }>('POST', path), () => `${name} gives all its rows to others`)
      }),
      task,
    ),
    pause: command(
      pause,
      asking(async (ask, _service, tell) => tell(await ask<Pause>('POST', '/v1/pause'), show.showPause)),
      task,
    ),
    resume: command(
      resume,
      asking(async (ask, { config: { catchUp } }, tell) =>
        tell(await ask<Pause>('POST', '/v1/resume', { catchUp }), show.showPause),
      ),
      task,
    ),
    rows: command(
      rows,
      asking(async (ask, { operands, config: { after, limit } }, tell) => {
        const action = rowsAction(operands)
        if (action.kind === 'list') {
          const from = after === undefined ? '' : `&after=${encodeURIComponent(after)}`
          tell(await ask<RowPage>('GET', `/v1/rows?limit=${limit}${from}`), show.showRows)
        } else if (action.kind === 'add') {
          tell(await ask<{ added: number }>('POST', '/v1/rows', action.body), ({ added }) => `${added} rows added`)
        } else {
          tell(
            await ask<{ removed: number }>('DELETE', '/v1/rows', action.body),
            ({ removed }) => `${removed} rows removed`,
          )
        }
      }),
      task,
    ),
    explain: command(
      explain,
      asking(async (ask, { operands: [id = ''] }, tell) =>
        tell(await ask<Explained>('GET', `/v1/explain/${encodeURIComponent(id)}`), show.showExplained),
      ),
      task,
    ),
    plan: command(
      plan,
      asking(async (ask, { config: { whatIf, add, join, remove, strategy } }, tell) => {
        if (!whatIf) {
          if (add > 0 || join.length > 0 || remove.length > 0 || strategy.length > 0) {
            throw new ConfigError('--add, --join, --remove and --strategy need --what-if: they change nothing')
          }
          return tell(await ask<PlanAnswer>('GET', '/v1/plan'), show.showPlan)
        }
        const query = new URLSearchParams({ add: String(add), remove: remove.join() })
        if (join.length > 0) query.set('join', join.join())
        if (strategy.length > 0) query.set('strategy', strategy.join())
        return tell(await ask<WhatIfAnswer>('GET', `/v1/what-if?${query.toString()}`), show.showWhatIf)
      }),
      task,
    ),
    limits: command(
      limits,
      asking(async (ask, { operands }, tell) => {
        const answer =
          operands.length === 0
            ? await ask<Record<string, number | boolean>>('GET', '/v1/limits')
            : await ask<Record<string, number | boolean>>('PATCH', '/v1/limits', limitsChange(operands))
        tell(answer, show.showLimits)
      }),
      task,
    ),
    autoscale: command(
      autoscale,
      asking(async (ask, _service, tell) =>
        tell(await ask<AutoscaleAnswer>('GET', '/v1/autoscale'), show.showAutoscale),
      ),
      task,
    ),
    history: command(
      history,
      asking(async (ask, { config: { limit } }, tell) =>
        tell(await ask<History>('GET', `/v1/history?limit=${limit}`), show.showHistory),
      ),
      task,
    ),
  }
}

type Tell = <T>(answer: T, text: (answer: T) => string) => void
