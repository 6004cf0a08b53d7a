export { plan, type Member, type Move, type PlanInput, type PlanResult, type PlanStats } from './plan.ts'
export { hash32, mix32, rendezvous, rendezvousScore, unitOf, type Weighted } from './rendezvous.ts'
export { slotsOf } from './slots.ts'
export { defaultSlots, slotHashBits, slotMultipliers, slotOf, slotOffset } from './slot.ts'
