import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { proofs } from './proofs.ts'
import { runProof } from './run-proof.ts'

const printed: string[] = []
const run = (...argv: string[]): Promise<number> =>
  runProof({ argv, env: {}, proofs, print: (line) => printed.push(line) })

test('the help names every proof with its duration and parameters; an unknown one is refused', async () => {
  await expect(run('--help')).resolves.toBe(0)
  for (const { name, takes } of proofs) expect(printed.at(-1)).toMatch(new RegExp(`  ${name} +${takes}`))
  await expect(run()).resolves.toBe(2)
  await expect(run('moon-landing')).rejects.toThrow('There is no proof "moon-landing"; --help lists them.')
})

test('every proof runs a test that exists and reads its parameters', async () => {
  for (const { name, project, file, env } of proofs) {
    const text = await readFile(fileURLToPath(new URL(`../../${project}/${file}`, import.meta.url)), 'utf8')
    for (const variable of Object.keys(env)) expect(text, name).toContain(variable)
  }
  expect(new Set(proofs.map(({ name }) => name)).size).toBe(proofs.length)
})
