/** What of a large blob is given out, and held, at once. A chunk is read into pieces with memory of their own. */
export const pieceBytes = 64 * 1024

/** The lengths of the pieces of a chunk. */
export function piecesIn(chunkBytes: number): number[] {
  const count = Math.ceil(chunkBytes / pieceBytes)
  return Array.from({ length: count }, (_, index) => Math.min(pieceBytes, chunkBytes - index * pieceBytes))
}
