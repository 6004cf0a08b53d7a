#!/usr/bin/env node
import { command, runApp } from '@ballast/service'
import packageJson from '../package.json' with { type: 'json' }
import { cliCommands } from './cli/commands.ts'
import { controlPlaneConfig, workerConfig } from './config.ts'
import { controlPlane } from './control-plane.ts'
import { doctor } from './doctor.ts'
import { worker } from './worker.ts'

await runApp({
  name: 'scaler',
  version: packageJson.version,
  commands: {
    'control-plane': command(controlPlaneConfig, controlPlane),
    worker: command(workerConfig, worker),
    doctor,
    ...cliCommands((line) => void process.stdout.write(`${line}\n`)),
  },
  defaultCommand: 'control-plane',
})
