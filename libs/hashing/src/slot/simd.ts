import { idsAtOnce, simdModule, slotsAtByte } from './simd-module.ts'

// The types of Node name WebAssembly without its values.
declare global {
  namespace WebAssembly {
    const Module: new (bytes: Uint8Array) => object
    const Instance: new (module: object) => { readonly exports: Readonly<Record<string, unknown>> }
    const Memory: new (size: { readonly initial: number }) => { readonly buffer: ArrayBuffer }
  }
}

export interface SimdSlots {
  /** Where the ids go, 36 bytes each. */
  readonly input: Uint8Array
  /** The slots of the last call. */
  outputOf(count: number): Int32Array
  /** How many of `count` ids it did; the next one is no uuid. */
  slots(count: number, shift: number): number
}

/** Compiles the module: ~1 ms, once per process. */
export function loadSimd(): SimdSlots {
  const { memory, slots } = new WebAssembly.Instance(new WebAssembly.Module(simdModule())).exports
  if (!(memory instanceof WebAssembly.Memory) || typeof slots !== 'function') throw new TypeError('not the slot module')
  const output = new Int32Array(memory.buffer, slotsAtByte, idsAtOnce)
  return {
    input: new Uint8Array(memory.buffer, 0, slotsAtByte),
    outputOf: (count) => (count === idsAtOnce ? output : output.subarray(0, count)),
    slots: (count, shift) => Number(slots(count, shift)),
  }
}
