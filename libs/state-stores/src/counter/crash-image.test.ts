import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

/** Images of a disk per layout, each as if power had failed then. Takes root, loop devices and btrfs-progs, so it is asked for. */
const images = Number(process.env['CRASH_IMAGES'] ?? 0)
const script = fileURLToPath(new URL('fixtures/crash-image.sh', import.meta.url))
/** What the script says when it cannot try anything. */
const skipped = 77

interface Ended {
  readonly code: number | string | null | undefined
  readonly said: string
}

const run = (count: string, logAtBytes: string, path = process.env['PATH']): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(
      '/bin/bash',
      [script, count, logAtBytes],
      { env: { ...process.env, PATH: path } },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : error.code, said: `${stdout}${stderr}`.trim() })
      },
    )
  })

const layouts = { 'a log': '0', 'one file, replaced by each commit': '1000000' }

for (const [layout, logAtBytes] of Object.entries(layouts)) {
  test.runIf(images > 0)(
    `${layout}: ${images} images of the disk at random moments hold every answer`,
    { timeout: 3_600_000 },
    async ({ annotate, skip }) => {
      const { code, said } = await run(String(images), logAtBytes)
      await annotate(said)
      skip(code === skipped, said)
      expect(said).toContain(`${images} images, 0 with lost answers`)
      expect(code).toBe(0)
    },
  )
}

test.runIf(images === 0)('refuses to try where it cannot, and says so', async () => {
  // No tool is found on this path, and whoever is not root is refused before.
  await expect(run('1', '0', '/nowhere')).resolves.toEqual({ code: skipped, said: expect.stringMatching(/^SKIPPED: /) })
})
