#!/usr/bin/env node
import { command, runApp } from '@ballast/service'
import packageJson from '../package.json' with { type: 'json' }
import { serveConfig } from './config.ts'
import { serve } from './serve.ts'

await runApp({
  name: 'counter',
  version: packageJson.version,
  commands: { serve: command(serveConfig, serve) },
  defaultCommand: 'serve',
})
