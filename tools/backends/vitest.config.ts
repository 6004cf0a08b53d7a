import { project } from '../../vitest.base.ts'

export default project('backends', { testTimeout: 120_000, hookTimeout: 300_000 })
