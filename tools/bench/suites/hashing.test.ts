import { describeSuite } from './can-be-measured.ts'
import { hashing } from './hashing.ts'

describeSuite(hashing)
