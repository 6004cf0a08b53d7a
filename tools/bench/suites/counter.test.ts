import { describeSuite } from './can-be-measured.ts'
import { counter } from './counter.ts'

describeSuite(counter)
