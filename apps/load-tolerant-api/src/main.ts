#!/usr/bin/env node
import { command, ConfigError, runApp } from '@ballast/service'
import packageJson from '../package.json' with { type: 'json' }
import { api } from './api.ts'
import { apiConfig, consumerConfig, deadConfig, verifyConfig } from './config.ts'
import { deadCommand } from './dead/command.ts'
import { consumer } from './consumer.ts'
import { doctor } from './doctor.ts'
import { fromSeedEnvironment } from './seed-environment.ts'
import { verifyCommand } from './verify-command.ts'

const name = packageJson.name.replace('@ballast/', '')
try {
  Object.assign(process.env, fromSeedEnvironment(process.env))
} catch (error) {
  if (!(error instanceof ConfigError)) throw error
  process.stderr.write(`${name}: ${error.message}\n`)
  process.exit(2)
}
await runApp({
  name,
  version: packageJson.version,
  commands: {
    api: command(apiConfig, api),
    consumer: command(consumerConfig, consumer),
    dead: command(deadConfig, (service) => deadCommand(service, (text) => process.stdout.write(text)), {
      kind: 'task',
    }),
    verify: command(verifyConfig, (service) => verifyCommand(service, (text) => process.stdout.write(text)), {
      kind: 'task',
    }),
    doctor,
  },
  defaultCommand: 'api',
})
