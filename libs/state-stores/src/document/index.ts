export { decodeDocument, encodeDocument, inspect, splitDocuments } from './bson.ts'
export { type IdRange, ObjectIds } from './object-id.ts'
export { openDocumentStore } from './open.ts'
export { type Document, type DocumentId, type DocumentStore, type InsertOutcome, maxDocumentBytes } from './port.ts'
