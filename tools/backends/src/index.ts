export {
  backendKinds,
  BackendUnavailableError,
  type BackendKind,
  type BackendOptions,
  type Durability,
  type Origin,
  type RunningBackend,
} from './backend.ts'
export { sharedBackend, startBackend } from './start.ts'
