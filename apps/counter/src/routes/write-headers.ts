import { Type } from 'typebox'

/** Headers of every write. Their values are checked where they are read, where a better sentence can be said. */
export const WriteHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      description:
        'Makes the write safe to repeat: the same key with the same request is applied once and answered alike.',
    }),
  ),
  'if-match': Type.Optional(
    Type.String({ description: 'Only if the counter has this ETag, or, with *, if it exists.' }),
  ),
  'if-none-match': Type.Optional(Type.String({ description: 'With *: only if the counter does not exist.' })),
  prefer: Type.Optional(Type.String({ description: 'return=minimal: answer 204 without a body.' })),
})

export const Minimal = Type.Null({ description: 'Done; the caller preferred no body.' })

export const NotModified = Type.Null({ description: 'The counter has the version of If-None-Match.' })
