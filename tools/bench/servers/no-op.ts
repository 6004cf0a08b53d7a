// The ceiling of every service here: health, metrics, limits, tracing and roles as they all have them, and no work.
import { buildServer, command, defineConfig, runApp, serviceOptions } from '@ballast/service'

const config = defineConfig({
  app: 'no-op',
  prefix: 'NO_OP',
  summary: 'answers, and does nothing else',
  options: serviceOptions({ listen: '127.0.0.1:0' }),
})

const serve = command(config, async (service) => {
  const app = await buildServer(service.serverOptions)
  app.get('/', { config: { role: 'reader' } }, () => ({ ok: true }))
  await service.listen(app)
})

await runApp({ name: 'no-op', version: '0.0.0', commands: { serve }, defaultCommand: 'serve' })
