import { ConfigError } from '@ballast/service'
import { limitNames } from '../control-plane/limits.ts'

/** What is written after a command. @throws ConfigError (exit code 2) one sentence that says what to write. */

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const usage = 'write rows add <count>, rows remove <count>, the same with ids, or rows list'

export type RowsAction =
  | { readonly kind: 'list' }
  | { readonly kind: 'add' | 'remove'; readonly body: { count: number } | { ids: readonly string[] } }

export function rowsAction([verb, ...words]: readonly string[]): RowsAction {
  if (verb === 'list' && words.length === 0) return { kind: 'list' }
  if ((verb !== 'add' && verb !== 'remove') || words.length === 0) throw new ConfigError(usage)
  const [first = ''] = words
  if (words.length === 1 && /^[1-9]\d{0,8}$/.test(first)) return { kind: verb, body: { count: Number(first) } }
  const wrong = words.find((word) => !uuid.test(word))
  if (wrong !== undefined) throw new ConfigError(`${JSON.stringify(wrong)} is neither a count nor an id: ${usage}`)
  return { kind: verb, body: { ids: words } }
}

/** `name=value`, a number, true, false, or default for the option's. */
export function limitsChange(words: readonly string[]): Record<string, number | boolean | null> {
  return Object.fromEntries(
    words.map((word) => {
      const [, name = '', text = ''] = /^([a-zA-Z]+)=(\d{1,12}|true|false|default)$/.exec(word) ?? []
      if (name === '')
        throw new ConfigError(`${JSON.stringify(word)} is no limit: write maxWorkers=20 or autoscale=false`)
      if (!limitNames.includes(name)) {
        throw new ConfigError(`${JSON.stringify(name)} is no limit; there are ${limitNames.join(', ')}`)
      }
      return [name, text === 'default' ? null : text === 'true' || text === 'false' ? text === 'true' : Number(text)]
    }),
  )
}
