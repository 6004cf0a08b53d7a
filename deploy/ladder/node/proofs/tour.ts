import { join } from 'node:path'
import { root } from '../../../image/apps.ts'
import { addresses, runThere, type Proof } from '../proof.ts'
import { figuresOfLargest, subjects } from './rest.ts'

interface Verdict {
  readonly passed: boolean
  readonly facts: readonly {
    readonly chapter: string
    readonly fact: string
    readonly holds: boolean
    readonly measured: string
  }[]
}

/** `npm run tour -- --url ...` as a smoke test of all four services. */
export const tour: Proof = {
  name: 'tour',
  async run(context) {
    const apps = ['counter', 'message-store', 'scaler', 'load-tolerant-api'] as const
    const urls = apps.map((app) => `${app}=${addresses[app]}`).join()
    const command = [process.execPath, join(root, 'tools/tour/main.ts'), '--url', urls, '--json']
    // It ends with 1 when a fact does not hold, and still says which.
    const said = await runThere(context, command).catch((error: unknown) => {
      const stdout: unknown = Reflect.get(Object(error), 'stdout')
      if (typeof stdout === 'string' && stdout.startsWith('{')) return stdout
      throw error
    })
    const { passed, facts }: Verdict = JSON.parse(said)
    for (const { chapter, fact, measured } of facts) context.table.add(`tour, ${chapter}: ${fact}`, measured)
    const wrong = facts.filter(({ holds }) => !holds).map(({ chapter, fact }) => `${chapter}: ${fact}`)
    context.table.add(
      '`npm run tour -- --url ...`: facts that hold',
      `${facts.length - wrong.length} of ${facts.length}`,
    )
    const largest = await Promise.all(subjects.map((subject) => figuresOfLargest(context, subject)))
    context.table.add(
      `megabytes of memory right after it, the largest pod of each: ${subjects.map(({ name }) => name).join(', ')}`,
      largest.map(({ countedBytes }) => (countedBytes / 1e6).toFixed(0)).join(', '),
    )
    if (!passed) throw new Error(`the tour found that this does not hold: ${wrong.join('; ')}`)
  },
}
