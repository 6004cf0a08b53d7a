import { slotHashBits, slotMultipliers, slotOffset } from '../slot.ts'
import { type Code, encode, get, i32Const, i64Const, leb, name, op, section, set, unless, valueType } from './wasm.ts'

/**
 * `slotOf` for many ids, as a WebAssembly module: sixteen characters are checked and decoded at once, and the sixteen products
 * are a few multiply-and-add instructions. JavaScript needs thrice as long for the same arithmetic.
 *
 * Memory: ids of 36 bytes each from 0, one little-endian 32-bit slot each from `slotsAtByte`. The one function
 * `slots(count, shift)` returns how many ids it did; fewer than `count` means that the next one is no uuid.
 *
 * `h = offset + sum(byte[i] * m[i])` is summed in three limbs of 14 bits of each m[i], because a lane holds 32 bits:
 * a limb's sum is below 16 * 2^8 * 2^14 = 2^26.
 */
export const idsAtOnce = 512
export const slotsAtByte = 20_480
const idBytes = 36
const limbBits = 14

export function simdModule(): Uint8Array<ArrayBuffer> {
  const body = encode(slotsFunction())
  const magic = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
  const type = section(1, [1, 0x60, 2, valueType.i32, valueType.i32, 1, valueType.i32])
  const functions = section(3, [1, 0])
  const memory = section(5, [1, 0, 1])
  const exported = section(7, [2, name('memory'), 2, 0, name('slots'), 0, 0])
  const code = section(10, [1, leb(body.length), body])
  return Uint8Array.from(encode([magic, type, functions, memory, exported, code]))
}

const local = { count: 0, shift: 1, at: 2, done: 3, a: 4, b: 5, letters: 6, scratch: 7, firstConstant: 8 }

function slotsFunction(): Code {
  const { at, done, a, b, count, shift } = local
  const constants = new Constants(local.firstConstant)
  const stop = [get(done), op.return]
  const hyphenIsMissing = (offset: number) => [get(at), op.loadByte(offset), i32Const(0x2d), op.xor]
  const loop = [
    op.loop,
    unless([get(done), get(count), op.below], stop),
    [hyphenIsMissing(8), hyphenIsMissing(13), op.or, hyphenIsMissing(18), op.or, hyphenIsMissing(23), op.or],
    [op.if, stop, op.end],
    // The 32 digits stand in the characters 0-7, 9-12, 14-17 and 19-22, 24-27, 28-35.
    [get(at), get(at), get(at), op.loadLow64(0), op.loadLane32(9, 2), op.loadLane32(14, 3), set(a)],
    [get(at), get(at), get(at), op.loadLow32(19), op.loadLane32(24, 1), op.loadLane64(28, 1), set(b)],
    [unless(decode(a, constants), stop), unless(decode(b, constants), stop)],
    [limbSum(0, constants), limbSum(1, constants), op.addLanes64, limbSum(2, constants), op.addLanes64, set(a)],
    [get(done), i32Const(2), op.shiftLeft],
    [get(a), op.lane64(0), get(a), op.lane64(1), op.add64, i64Const(slotOffset), op.add64],
    [i64Const(2 ** slotHashBits - 1), op.and64, get(shift), op.widen, op.shiftRight64, op.narrow],
    op.store32(slotsAtByte),
    [get(at), i32Const(idBytes), op.add, set(at), get(done), i32Const(1), op.add, set(done)],
    [op.again, op.end, op.unreachable, op.end],
  ]
  const vectors = local.firstConstant - local.a + constants.count
  return [2, 2, valueType.i32, vectors, valueType.v128, constants.made(), loop]
}

/** Turns sixteen digits into eight bytes, one per 16-bit lane; leaves whether all were digits. */
function decode(digits: number, constants: Constants): Code {
  const { letters, scratch } = local
  const all = (byte: number) => constants.get(Array.from({ length: 16 }, () => byte))
  const lowByte = constants.get(lanes16(Array.from({ length: 8 }, () => 0xff)))
  return [
    [get(digits), all(0x20), op.orLanes, all(0x61), op.subtractBytes, all(6), op.belowBytes, set(letters)],
    [get(digits), all(0x30), op.subtractBytes, all(10), op.belowBytes],
    [get(letters), op.orLanes, op.allTrue],
    [get(digits), all(15), op.andLanes, get(letters), all(9), op.andLanes, op.addBytes, set(scratch)],
    [get(scratch), i32Const(4), op.shiftLeft16, get(scratch), i32Const(8), op.shiftRight16],
    [op.orLanes, lowByte, op.andLanes, set(digits)],
  ]
}

/** The sum of byte times limb, in two 64-bit lanes, at its place. */
function limbSum(limb: number, constants: Constants): Code {
  const { a, b, scratch } = local
  const limbs = slotMultipliers.map((multiplier) => Math.floor(multiplier / 2 ** (limb * limbBits)) % 2 ** limbBits)
  return [
    [get(a), constants.get(lanes16(limbs.slice(0, 8))), op.dot],
    [get(b), constants.get(lanes16(limbs.slice(8))), op.dot, op.addLanes32, set(scratch)],
    [get(scratch), op.widenLow, get(scratch), op.widenHigh, op.addLanes64],
    [i32Const(limb * limbBits), op.shiftLeft64],
  ]
}

const lanes16 = (values: readonly number[]): number[] => values.flatMap((value) => [value & 0xff, value >> 8])

/** Vector constants, each made once before the loop and kept in a local: making them costs more than the arithmetic. */
class Constants {
  readonly #vectors: (readonly number[])[] = []
  readonly #first: number

  constructor(first: number) {
    this.#first = first
  }

  get count(): number {
    return this.#vectors.length
  }

  get(vector: readonly number[]): Code {
    const known = this.#vectors.findIndex((other) => other.every((byte, i) => byte === vector[i]))
    return get(this.#first + (known === -1 ? this.#vectors.push(vector) - 1 : known))
  }

  made(): Code {
    return this.#vectors.map((vector, i) => [op.vector(vector), set(this.#first + i)])
  }
}
