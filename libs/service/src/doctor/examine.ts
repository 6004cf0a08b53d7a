import { sentence } from '../process/sentence.ts'
import type { Check, Finding } from './check.ts'

/** Longer than any store of ours tries to connect. */
const patienceMs = 20_000

/** Looks one after the other, so that what one look does cannot disturb the next. None takes longer than `limitMs`. */
export async function examine(checks: readonly Check[], limitMs: number = patienceMs): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const { name, look } of checks) {
    const found = await within(limitMs, look).then(
      (text) => ({ name, ok: true, sentence: text }),
      (error: unknown) => ({ name, ok: false, sentence: sentence(error) }),
    )
    findings.push(found)
  }
  return findings
}

async function within(limitMs: number, look: () => Promise<string>): Promise<string> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`no answer within ${limitMs / 1000} s`)), limitMs)
  try {
    return await Promise.race([look(), promise])
  } finally {
    clearTimeout(timer)
  }
}

/** One line for each, and what follows from all of them. */
export function report(app: string, findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ name }) => name.length))
  const lines = findings.map(({ name, ok, sentence: text }) => {
    return `${ok ? 'ok    ' : 'not ok'}  ${name.padEnd(width)}  ${text}`
  })
  const failed = findings.filter(({ ok }) => !ok).length
  const verdict =
    failed === 0 ? `${app} can start here.` : `${app} cannot start here: ${failed} of ${findings.length} are not ok.`
  return [...lines, verdict, ''].join('\n')
}
