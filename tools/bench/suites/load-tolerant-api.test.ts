import { describeSuite } from './can-be-measured.ts'
import { loadTolerantApi } from './load-tolerant-api.ts'

describeSuite(loadTolerantApi)
