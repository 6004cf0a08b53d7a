import {
  defineConfig,
  durationMs,
  flag,
  integer,
  list,
  secret,
  taskOptions,
  text,
  type Options,
} from '@ballast/service'

const client = {
  ...taskOptions(),
  url: text({ default: 'http://127.0.0.1:4003', help: 'of a control plane' }),
  token: secret({ help: 'with --auth tokens at the control plane' }),
  serverCa: text({ help: 'PEM file with the authority of its certificate' }),
  clientCert: text({ help: 'PEM file with a certificate of its --tls-client-ca' }),
  clientKey: text({ help: 'PEM file with the key of --client-cert' }),
  timeoutMs: durationMs({ default: 30_000, min: 100, help: 'how long an answer may take' }),
  json: flag({ help: 'print what the API answers' }),
}

interface Words {
  readonly usage: string
  readonly help: string
  readonly min: number
  readonly max: number
}

const define = <const O extends Options>(summary: string, example: string, options: O, operands?: Words) =>
  defineConfig({
    app: 'scaler',
    prefix: 'SCALER',
    summary,
    examples: [example],
    ...(operands && { operands }),
    options: { ...client, ...options },
  })

const one = (usage: string, help: string): Words => ({ usage, help, min: 1, max: 1 })

export const cliConfigs = {
  workers: define('shows the workers and who leads', 'scaler workers --json', {}),
  drain: define(
    'takes all rows away from a worker, until it restarts',
    'scaler drain worker-2',
    {},
    one('<worker>', 'its name'),
  ),
  pause: define('stops all ticks, everywhere', 'scaler pause', {}),
  resume: define('goes on after a pause, whose time is skipped', 'scaler resume', {
    catchUp: flag({ help: 'credit the time of the pause too' }),
  }),
  rows: define(
    'adds, removes or lists rows',
    'scaler rows add 1000',
    {
      after: text({ help: 'with list: begin after this id' }),
      limit: integer({ default: 100, min: 1, max: 1_000, help: 'with list: so many' }),
    },
    { usage: 'add|remove|list [<count>|<id>...]', help: 'what to do, and with which', min: 1, max: 1_001 },
  ),
  explain: define(
    'tells who owns a row, since when, why, and who did before',
    'scaler explain 6f1c...',
    {},
    one('<id>', 'of the row'),
  ),
  plan: define('shows who owns how much; with --what-if what a change would move', 'scaler plan --what-if --add 1', {
    whatIf: flag({ help: 'compare strategies for a change, and change nothing' }),
    add: integer({ default: 0, max: 1_000, help: 'with --what-if: workers that join' }),
    join: list({ help: 'with --what-if: names of those, where they do not go on with the present numbers' }),
    remove: list({ help: 'with --what-if: workers that leave' }),
    strategy: list({ help: 'with --what-if: strategies, of sticky, bounded, ring, rendezvous; default all' }),
  }),
  limits: define(
    'shows the limits, or changes them for all control planes',
    'scaler limits maxWorkers=20 autoscale=false imbalancePermille=default',
    {},
    { usage: '[<name>=<value>...]', help: 'what to change; default returns to the option', min: 0, max: 20 },
  ),
  autoscale: define('shows how many workers are wanted, why, and what it would move', 'scaler autoscale', {}),
  history: define('shows what happened, latest first', 'scaler history --limit 20', {
    limit: integer({ default: 20, min: 1, max: 1_000, help: 'so many events' }),
  }),
}
