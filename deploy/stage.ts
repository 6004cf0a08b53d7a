import { cp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { copyPackages } from './packages.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * Puts everything that an app needs to run, and nothing else, into `folder`: its bundle, and beside it the packages
 * with native code that the bundle imports. `node main.js` works there without this repository; it is what an image
 * copies. The bundle is taken as built (`nx build <app>`), with its source maps or without; native packages are those of this machine's platform.
 */
export async function stage(app: string, folder: string, { sourceMaps = true } = {}): Promise<void> {
  const dist = join(root, 'apps', app, 'dist')
  await rm(folder, { recursive: true, force: true })
  await cp(dist, folder, {
    recursive: true,
    filter: (path) => !path.endsWith('externals.json') && (sourceMaps || !path.endsWith('.js.map')),
  })
  const externals: string[] = JSON.parse(await readFile(join(dist, 'externals.json'), 'utf8'))
  const { version }: { version: string } = JSON.parse(await readFile(join(root, 'apps', app, 'package.json'), 'utf8'))
  await writeFile(join(folder, 'package.json'), `${JSON.stringify({ name: app, version, type: 'module' })}\n`)
  const found = await Promise.all(externals.map((name) => installedFolder(name)))
  await copyPackages(found, join(folder, 'node_modules'))
}

/** Where pnpm put a package that one of the libs declares. */
async function installedFolder(name: string): Promise<string> {
  for (const lib of ['state-stores', 'locking']) {
    const path = await realpath(join(root, 'libs', lib, 'node_modules', name)).catch(() => undefined)
    if (path !== undefined) return path
  }
  throw new Error(
    `${name} is imported by a bundle but declared by no lib: is it in tools/workspace/native-packages.ts?`,
  )
}

if (process.argv[1] !== undefined && fileURLToPath(import.meta.url) === (await realpath(process.argv[1]))) {
  const [app, folder] = process.argv.slice(2)
  if (app === undefined || folder === undefined || dirname(folder) === folder) {
    process.stderr.write('usage: node deploy/stage.ts <app> <folder>   (the folder is replaced)\n')
    process.exit(2)
  }
  await stage(app, folder)
}
