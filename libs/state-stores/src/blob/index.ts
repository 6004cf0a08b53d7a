export { openBlobStore } from './open.ts'
export {
  blobLacks,
  DamagedBlobError,
  type BlobLack,
  type FailedItem,
  type BlobCapabilities,
  type BlobOptions,
  type BlobSource,
  type BlobStat,
  type BlobStore,
  type BlobUsage,
  type ByteRange,
  type Damage,
  type Digest,
  type EntryName,
  type FamilyPolicy,
  type FamilyUsage,
  type NewEntry,
  type OpenBlob,
  type PutOutcome,
  type RemoveOutcome,
  type ScannedEntry,
  type ScanPage,
  type ScrubOptions,
  type ScrubPage,
  type SmallEntry,
  UnreadableBlobError,
} from './port.ts'
export { diskTroubleOf, type DiskTrouble } from './disk-trouble.ts'
export { isDigest } from './name.ts'
export { sha256 } from './hash.ts'
export { beginningOf } from './collect.ts'
export { salvageBlobs, type Salvaged } from './salvage.ts'
export { tieredBlobStore, tierFamily, type TierOptions, type TierRead } from './tiered.ts'
