export { freePort } from './free-port.ts'
export { startProcess, type Exit, type ProcessOptions, type TestProcess } from './start-process.ts'
export { temporaryFolder, type TemporaryFolder } from './temporary-folder.ts'
export { waitUntil, type WaitOptions } from './wait-until.ts'
