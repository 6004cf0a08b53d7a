import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { choice, defineConfig, flag, text } from '../config/index.ts'
import { command } from './command.ts'
import { completionScript } from './completion.ts'

const serve = defineConfig({
  app: 'my-app',
  prefix: 'MY_APP',
  summary: 'Serves',
  options: { store: text({ help: 'x' }), auth: choice(['none', 'tokens'], { help: 'x' }) },
})
const copy = defineConfig({
  app: 'my-app',
  prefix: 'MY_APP',
  summary: 'Copies',
  options: { overWrite: flag({ help: 'x' }) },
})
const commands = { serve: command(serve, async () => {}), copy: command(copy, async () => {}) }

/** What bash offers after these words, the last of them half typed. */
function offered(...words: readonly string[]): string[] {
  const asked = `COMP_WORDS=(my-app ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}`
  const script = `${completionScript('my-app', commands, 'serve')}\n${asked}; _my_app_complete; printf '%s\\n' "\${COMPREPLY[@]}"`
  return execFileSync('bash', ['--norc', '-c', script], { encoding: 'utf8' }).trim().split('\n')
}

test('bash is offered commands, and the flags of the command that was typed', () => {
  expect(offered('c')).toEqual(['copy', 'completion'])
  expect(offered('copy', '--')).toEqual([
    '--over-write',
    '--no-over-write',
    '--help',
    '--version',
    '--config',
    '--print-config',
  ])
  expect(offered('--st')).toEqual(['--store'])
})

test('a flag that takes one of a few words is followed by those, any other by file names', () => {
  expect(offered('--auth', '')).toEqual(['none', 'tokens'])
  expect(offered('serve', '--auth', 't')).toEqual(['tokens'])
  expect(offered('--store', 'package.js')).toEqual(['package.json'])
})
