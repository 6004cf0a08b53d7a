import { Type } from 'typebox'

/** 8-4-4-4-12. The format alone would also take `urn:uuid:...`, which PostgreSQL's uuid does not. */
export const RowId = Type.String({ format: 'uuid', pattern: '^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$' })
