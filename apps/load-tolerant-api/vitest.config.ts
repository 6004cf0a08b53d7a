import { project } from '../../vitest.base.ts'

export default project('load-tolerant-api')
