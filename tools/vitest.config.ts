import { project } from '../vitest.base.ts'

export default project('tools', { exclude: ['**/node_modules/**', 'backends/**', 'fault-proxy/**'] })
