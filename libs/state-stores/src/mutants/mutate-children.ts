/** Loaded before all else by the processes that a test starts: they run on the changed line as well. */
import { registerHooks } from 'node:module'
import { chosenChange } from './mutant.ts'

const { file, line, instead } = chosenChange()
const target = new URL(`../${file}`, import.meta.url).href

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    const { source } = loaded
    if (url !== target || source === undefined) return loaded
    const text = typeof source === 'string' ? source : new TextDecoder().decode(source)
    return { ...loaded, source: text.replace(line, instead) }
  },
})
