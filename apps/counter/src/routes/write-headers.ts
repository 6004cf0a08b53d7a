import { Type } from 'typebox'

/** Headers of a write of many counters. Values are checked where they are read, where a better sentence can be said. */
export const BatchHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      description:
        'Makes the write safe to repeat: the same key with the same request is applied once and answered alike.',
    }),
  ),
  prefer: Type.Optional(Type.String({ description: 'return=minimal: answer 204 without a body.' })),
})

/** Headers of a write of one counter. */
export const WriteHeaders = Type.Object({
  ...BatchHeaders.properties,
  'if-match': Type.Optional(
    Type.String({ description: 'Only if the counter has this ETag, or, with *, if it exists.' }),
  ),
  'if-none-match': Type.Optional(Type.String({ description: 'With *: only if the counter does not exist.' })),
})

export const Minimal = Type.Null({ description: 'Done; the caller preferred no body.' })

export const NotModified = Type.Null({ description: 'The counter has the version of If-None-Match.' })
