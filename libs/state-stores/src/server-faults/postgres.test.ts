import { describeServerFaults } from './suite.ts'

await describeServerFaults('postgres')
