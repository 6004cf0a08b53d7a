// Asks this container's own health endpoint: exit 0 when it answers 2xx. For HEALTHCHECK and exec probes; needs no shell.
// node /app/probe.mjs [livez|readyz|startupz]
const [address] = Object.entries(process.env)
  .filter(([name]) => name.endsWith('_METRICS_LISTEN'))
  .map(([, value]) => value)
const port = /:(\d+)$/.exec(address ?? '')?.[1] ?? '9090'
const path = process.argv[2] ?? 'readyz'
try {
  const { ok } = await fetch(`http://127.0.0.1:${port}/${path}`, { signal: AbortSignal.timeout(2_000) })
  process.exitCode = ok ? 0 : 1
} catch {
  process.exitCode = 1
}
