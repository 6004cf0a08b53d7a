export { campaign, type CampaignObserver, type CampaignOptions, type Leadership } from './campaign.ts'
export { monotonicClock, type Clock } from './clock.ts'
export { createLeases, type LeasesOptions } from './leases.ts'
export { openLeases, openLeaseStore } from './open.ts'
export {
  LeaseLostError,
  LeaseStoreError,
  LeaseTimeoutError,
  sameFence,
  type Fence,
  type Lease,
  type LeaseCall,
  type LeaseClaim,
  type LeaseObserver,
  type LeaseRequest,
  type Leases,
  type LeaseStore,
  type LeaseTiming,
  type Taken,
} from './port.ts'
