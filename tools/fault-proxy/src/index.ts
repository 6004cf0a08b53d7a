export { startFaultProxy, type FaultProxy, type FaultProxyOptions } from './fault-proxy.ts'
export { noFaults, type Direction, type Faults } from './faults.ts'
export { worstSlidingSecond } from './mongo/sliding-second.ts'
export { WriteCommandMeter, type WriteCommandOptions } from './mongo/write-command-meter.ts'
