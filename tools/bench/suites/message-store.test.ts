import { describeSuite } from './can-be-measured.ts'
import { messageStore } from './message-store.ts'

describeSuite(messageStore)
