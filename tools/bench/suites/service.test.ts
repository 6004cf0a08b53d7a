import { describeSuite } from './can-be-measured.ts'
import { service } from './service.ts'

describeSuite(service)
