import { styleText } from 'node:util'
import type { CheckedFact } from './chapter.ts'

const factWidth = 62

/** ✓ or ✗, the fact, what was measured. */
export function factLine({ fact, holds, measured }: CheckedFact, colour: boolean): string {
  const mark = holds ? '✓' : '✗'
  const painted = colour ? styleText(holds ? 'green' : 'red', mark, { validateStream: false }) : mark
  return `  ${painted} ${fact.padEnd(factWidth)}  ${measured}`
}

export function summaryLine(facts: readonly CheckedFact[], tookMs: number): string {
  const failed = facts.filter(({ holds }) => !holds)
  const took = `in ${Math.round(tookMs / 1000)} s`
  if (failed.length === 0) return `${facts.length} of ${facts.length} facts hold, ${took}.`
  return `${failed.length} of ${facts.length} facts do not hold, ${took}: ${failed.map(({ chapter, fact }) => `${chapter}: ${fact}`).join('; ')}`
}

/** 12800 as "12 800". */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US').replaceAll(',', ' ')
}
