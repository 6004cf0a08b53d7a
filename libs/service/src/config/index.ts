export { ConfigError } from './config-error.ts'
export { defineConfig, type ConfigDefinition, type ConfigOf } from './define-config.ts'
export { bytes, durationMs, integer } from './number-options.ts'
export { ValueError, type Option, type Options, type OptionSpec, type ValuesOf } from './option.ts'
export { redactUrl } from './print-config.ts'
export {
  rateLimitOptions,
  serviceOptions,
  taskOptions,
  workerOptions,
  type ServiceSettings,
} from './service-options.ts'
export { choice, flag, list, option, secret, text } from './text-options.ts'
