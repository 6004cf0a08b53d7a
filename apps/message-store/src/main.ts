#!/usr/bin/env node
import { command, runApp } from '@ballast/service'
import packageJson from '../package.json' with { type: 'json' }
import { exportArchive, importArchive } from './archive/commands.ts'
import { bench } from './bench/bench.ts'
import { makeCertificate } from './certificate/make-certificate.ts'
import { benchConfig, certificateConfig, exportConfig, importConfig, serveConfig, verifyConfig } from './config.ts'
import { doctor } from './doctor.ts'
import { verify } from './scrub/verify.ts'
import { serve } from './serve.ts'

const print = (line: string): void => void process.stdout.write(`${line}\n`)

await runApp({
  name: 'message-store',
  version: packageJson.version,
  commands: {
    serve: command(serveConfig, serve),
    verify: command(verifyConfig, (service) => verify(service, print), { kind: 'task' }),
    export: command(exportConfig, (service) => exportArchive(service, print), { kind: 'task' }),
    import: command(importConfig, (service) => importArchive(service, print), { kind: 'task' }),
    bench: command(benchConfig, (service) => bench(service, print), { kind: 'task' }),
    doctor,
    certificate: command(certificateConfig, (service) => makeCertificate(service, print), { kind: 'task' }),
  },
  defaultCommand: 'serve',
})
