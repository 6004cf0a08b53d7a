/** A part of the driver that its own inserts use and its types leave out. */
declare module 'mongodb/lib/cmap/commands.js' {
  export class DocumentSequence {
    constructor(field: string)
    /** Adds a document as its BSON. */
    push(document: object, bson: Uint8Array): number
  }
}
