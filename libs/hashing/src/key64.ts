/** FNV-1a of 64 bits over the UTF-8 bytes (Fowler, Noll, Vo; IETF draft). For keys and names; not for adversaries. */
export function key64(text: string): bigint {
  let hash = 0xcbf2_9ce4_8422_2325n
  for (const byte of new TextEncoder().encode(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100_0000_01b3n)
  return mix64(hash)
}

/** The finaliser of MurmurHash3 (Appleby): without it the last byte of a text hardly reaches the top bits. */
export function mix64(value: bigint): bigint {
  let hash = value
  hash = BigInt.asUintN(64, (hash ^ (hash >> 33n)) * 0xff51_afd7_ed55_8ccdn)
  hash = BigInt.asUintN(64, (hash ^ (hash >> 33n)) * 0xc4ce_b9fe_1a85_ec53n)
  return hash ^ (hash >> 33n)
}
