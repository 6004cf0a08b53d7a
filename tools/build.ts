import { globSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { build } from 'esbuild'
import { writeBundle } from '@ballast/console/bundle'
import { nativePackages } from './workspace/native-packages.ts'

/**
 * `node tools/build.ts apps/<app>`: bundles an app and the libs it uses into apps/<app>/dist. Libs export TypeScript
 * source, so only a bundle can be shipped. Packages with native code stay outside of it: deploy/stage.ts copies them
 * beside the bundle.
 */
const project = process.argv[2]
if (project === undefined) throw new Error('usage: node tools/build.ts apps/<app>')
const dist = join(project, 'dist')

await rm(dist, { recursive: true, force: true })
const threads = globSync('libs/*/src/**/*-thread.ts')
const { metafile } = await build({
  entryPoints: [
    { in: join(project, 'src/main.ts'), out: 'main' },
    // Programs of threads: whoever starts one looks for it beside itself, by name.
    ...threads.map((path) => ({ in: path, out: basename(path, '.ts') })),
  ],
  outdir: dist,
  bundle: true,
  // Adapters are imported lazily; splitting keeps a driver that is not used from being loaded.
  splitting: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  sourcemap: true,
  // Some CommonJS dependencies call require() at run time, which an ES module does not have.
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  external: nativePackages.flatMap((name) => [name, `${name}/*`]),
  metafile: true,
  logLevel: 'warning',
})

const imported = Object.values(metafile.outputs).flatMap(({ imports }) => imports.filter(({ external }) => external))
const externals = nativePackages.filter((name) =>
  imported.some(({ path }) => path === name || path.startsWith(`${name}/`)),
)
// The console's routes look for its page beside the bundle.
await writeBundle(join(dist, 'console'))
await writeFile(join(dist, 'externals.json'), `${JSON.stringify(externals)}\n`)
