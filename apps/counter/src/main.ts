#!/usr/bin/env node
import { command, redactUrl, runApp, type Service } from '@ballast/service'
import { openCounterStore } from '@ballast/state-stores/counter'
import packageJson from '../package.json' with { type: 'json' }
import { build } from './app.ts'
import { serveConfig, type ServeConfig } from './config.ts'
import { counterMetrics } from './metrics.ts'

async function serve(service: Service<ServeConfig>): Promise<void> {
  const { config, health, log, serverOptions } = service
  const metrics = counterMetrics(service.metrics)
  const { tokenWindowMs, maxTokens, maxQueued, lockTimeoutMs, storeTimeoutMs } = config
  const { observer } = metrics
  const setting = '--store (COUNTER_STORE)'
  const store = await openCounterStore(config.store, {
    tokenWindowMs,
    maxTokens,
    maxQueued,
    lockTimeoutMs,
    timeoutMs: storeTimeoutMs,
    observer,
    setting,
  })
  service.onClose('store', () => store.close())
  const { durable, caveat = 'counters are forgotten when this process ends' } = store.capabilities
  if (!durable) log.warn({ store: redactUrl(config.store) }, caveat)
  health.add({ name: 'store', gates: 'ready', check: () => store.check() })
  await service.listen(await build({ store, server: serverOptions, metrics }))
}

await runApp({
  name: 'counter',
  version: packageJson.version,
  commands: { serve: command(serveConfig, serve) },
  defaultCommand: 'serve',
})
