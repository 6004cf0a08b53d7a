import { describeSuite } from './can-be-measured.ts'
import { scaler } from './scaler.ts'

describeSuite(scaler)
