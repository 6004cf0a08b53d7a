import { project } from '../../vitest.base.ts'

export default project('scaler', { testTimeout: 60_000 })
