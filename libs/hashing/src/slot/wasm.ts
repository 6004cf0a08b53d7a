/** The few WebAssembly instructions that `simdModule` needs (WebAssembly Core Specification 2.0, chapter 5). */
export type Code = readonly (number | Code)[]

export const valueType = { i32: 0x7f, v128: 0x7b }

const simd = (...code: number[]): Code => [0xfd, code]

export const op = {
  loop: [0x03, 0x40],
  if: [0x04, 0x40],
  end: [0x0b],
  again: [0x0c, 0],
  return: [0x0f],
  unreachable: [0x00],
  loadByte: (offset: number): Code => [0x2d, 0, leb(offset)],
  store32: (offset: number): Code => [0x36, 2, leb(offset)],
  isZero: [0x45],
  below: [0x49],
  add: [0x6a],
  or: [0x72],
  xor: [0x73],
  shiftLeft: [0x74],
  add64: [0x7c],
  and64: [0x83],
  shiftRight64: [0x88],
  narrow: [0xa7],
  widen: [0xad],
  vector: (bytes: readonly number[]): Code => simd(12, ...bytes),
  lane64: (lane: number): Code => simd(0x1d, lane),
  belowBytes: simd(0x26),
  andLanes: simd(0x4e),
  orLanes: simd(0x50),
  loadLane32: (offset: number, lane: number): Code => simd(0x56, 0, offset, lane),
  loadLane64: (offset: number, lane: number): Code => simd(0x57, 0, offset, lane),
  loadLow32: (offset: number): Code => simd(0x5c, 0, offset),
  loadLow64: (offset: number): Code => simd(0x5d, 0, offset),
  allTrue: simd(0x63),
  addBytes: simd(0x6e),
  subtractBytes: simd(0x71),
  shiftLeft16: simd(0x8b, 1),
  shiftRight16: simd(0x8d, 1),
  addLanes32: simd(0xae, 1),
  /** Products of signed 16-bit lanes, neighbours added. */
  dot: simd(0xba, 1),
  widenLow: simd(0xc9, 1),
  widenHigh: simd(0xca, 1),
  shiftLeft64: simd(0xcb, 1),
  addLanes64: simd(0xce, 1),
}

export const get = (local: number): Code => [0x20, local]
export const set = (local: number): Code => [0x21, local]
export const unless = (condition: Code, then: Code): Code => [condition, op.isZero, op.if, then, op.end]
export const i32Const = (value: number): Code => [0x41, signedLeb(value)]
export const i64Const = (value: number): Code => [0x42, signedLeb(value)]
export const name = (text: string): Code => [text.length, ...Buffer.from(text)]

export function section(id: number, content: Code): Code {
  const bytes = encode(content)
  return [id, leb(bytes.length), bytes]
}

export function encode(code: Code): number[] {
  return code.flatMap((part) => (typeof part === 'number' ? [part] : encode(part)))
}

/** Of a value that is not negative, up to 2^53. */
export function leb(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...leb(Math.floor(value / 128))]
}

/** The same for a signed reader: the last byte's sign bit stays clear. */
function signedLeb(value: number): number[] {
  return value < 64 ? [value] : [(value % 128) + 128, ...signedLeb(Math.floor(value / 128))]
}
