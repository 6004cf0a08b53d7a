#!/usr/bin/env node
import { command, runApp } from '@ballast/service'
import packageJson from '../package.json' with { type: 'json' }
import { copyConfig, recountConfig, serveConfig } from './config.ts'
import { copyCommand } from './copy/command.ts'
import { recountCommand } from './audit/command.ts'
import { doctor } from './doctor.ts'
import { serve } from './serve.ts'

await runApp({
  name: 'counter',
  version: packageJson.version,
  commands: {
    serve: command(serveConfig, serve),
    recount: command(recountConfig, recountCommand, { kind: 'task' }),
    copy: command(copyConfig, copyCommand, { kind: 'task' }),
    doctor,
  },
  defaultCommand: 'serve',
})
