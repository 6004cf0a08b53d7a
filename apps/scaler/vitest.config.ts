import { project } from '../../vitest.base.ts'

export default project('scaler', { testTimeout: 300_000 })
