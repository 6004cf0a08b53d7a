import { allServices } from '../platform/services/index.ts'
import { runLauncher } from './run-launcher.ts'

await runLauncher(allServices)
