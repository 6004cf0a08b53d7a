import type { Routes } from '@ballast/service'
import type { Sender } from '../../transfer/send.ts'
import type { Uploads } from '../../uploads/uploads.ts'

export interface FamilyDeps {
  readonly sender: Sender
  readonly uploads: Uploads
  /** Without it nothing that was stored goes, but for what a protocol cannot do without. */
  readonly allowDelete: boolean
  readonly maxCollectedBytes: number
  /** How clients reach the service, without a slash at the end; undefined: as this request did. */
  readonly publicUrl: string | undefined
}

/** The routes of one kind of client. */
export type FamilyRoutes = Routes<FamilyDeps>
