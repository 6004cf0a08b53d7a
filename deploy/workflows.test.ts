import { existsSync, globSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { apps, root } from './image/apps.ts'
import { at } from './kustomize/objects.ts'

const files = globSync('.github/workflows/*.{yml,yaml}', { cwd: root }).toSorted()
const packageJson: unknown = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))

interface Step {
  readonly uses?: string
  readonly run?: string
}
interface Job {
  readonly uses?: string
  readonly needs?: string
  readonly steps?: readonly Step[]
  readonly permissions?: Readonly<Record<string, string>>
  readonly 'timeout-minutes'?: number
}
interface Workflow {
  readonly on: unknown
  readonly permissions: Readonly<Record<string, string>>
  readonly jobs: Readonly<Record<string, Job>>
}

const read = async (file: string): Promise<Workflow> => parse(await readFile(join(root, file), 'utf8'))

test('there is one that checks and one that releases', () => {
  expect(files.map((file) => basename(file))).toEqual(['ci.yaml', 'release.yaml'])
})

describe.each(files)('%s', (file) => {
  test('reads only, unless a job says why it writes; ends in time; takes actions at a version', async () => {
    const { permissions, jobs } = await read(file)
    expect(permissions).toEqual({ contents: 'read' })
    const endless = Object.values(jobs).filter((job) => job.uses === undefined && job['timeout-minutes'] === undefined)
    expect(endless).toEqual([])
    for (const job of Object.values(jobs)) {
      const uses = [job.uses, ...(job.steps ?? []).map((step) => step.uses)].filter((action) => action !== undefined)
      expect(uses.filter((action) => !/@v\d|^\.\/\.github\//.test(action))).toEqual([])
      expect(uses.filter((action) => action.startsWith('./') && !existsSync(join(root, action)))).toEqual([])
      expect(Object.keys(jobs)).toContain(job.needs ?? Object.keys(jobs)[0])
    }
  })

  test('runs what is there: scripts of package.json, files, every app', async () => {
    const { jobs } = await read(file)
    const commands = Object.values(jobs).flatMap(({ steps = [] }) => steps.flatMap(({ run }) => run ?? []))
    for (const command of commands) {
      for (const [, script = ''] of command.matchAll(/npm run ([\w:-]+)/g)) {
        expect(at(packageJson, 'scripts', script), script).toBeTypeOf('string')
      }
      for (const [, path = ''] of command.matchAll(/bash (\S+)/g)) expect(existsSync(join(root, path)), path).toBe(true)
      for (const [, list = ''] of command.matchAll(/for app in ([^;]+);/g)) {
        expect(list.split(' ')).toEqual(apps.map(({ name }) => name))
      }
    }
  })
})

test('nothing is published before the whole verdict, unsigned, or without a bill of materials', async () => {
  const { jobs } = await read('.github/workflows/release.yaml')
  expect(jobs['verdict']?.uses).toBe('./.github/workflows/ci.yaml')
  expect([jobs['image']?.needs, jobs['publish']?.needs]).toEqual(['verdict', 'image'])
  const commands = (jobs['publish']?.steps ?? []).map(({ run = '' }) => run).join('\n')
  const order = ['imagetools create', 'cosign sign', 'cosign attest', 'cosign verify', 'gh release create']
  const places = order.map((command) => commands.indexOf(command))
  expect(places).toEqual(places.toSorted((a, b) => a - b))
  expect(places[0]).toBeGreaterThan(0)
  expect(jobs['publish']?.permissions).toMatchObject({ 'id-token': 'write' })
  expect(JSON.stringify(jobs['image'])).toMatch(/amd64.*arm64/)
  const ci = await read('.github/workflows/ci.yaml')
  expect(JSON.stringify(ci.jobs['verdict']?.steps)).toContain('bash .ci/run')
  expect(Object.keys(Object(ci.on))).toContain('workflow_call')
})
