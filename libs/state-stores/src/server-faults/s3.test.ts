import { describeServerFaults } from './suite.ts'

await describeServerFaults('s3')
