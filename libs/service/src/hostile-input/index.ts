export {
  describeHostileInput,
  type HostileOptions,
  type HostileTarget,
  type JsonRoute,
} from './describe-hostile-input.ts'
