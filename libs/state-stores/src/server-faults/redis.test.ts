import { describeServerFaults } from './suite.ts'

await describeServerFaults('redis')
