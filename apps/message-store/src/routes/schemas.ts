import { Type, type TSchema } from 'typebox'

const Digest = Type.String({
  description: 'SHA-256 of the UTF-8 bytes of the message: 64 lower-case hex digits. Anything else is not found.',
})
const params = Type.Object({ digest: Digest })

const Posted = Type.Object({ digest: Digest })
const NotFound = Type.Object(
  { err_msg: Type.Optional(Type.String()), err_message: Type.Optional(Type.String()) },
  { description: '`err_msg`, or with --compat sha256py `err_message`.' },
)

const described = (description: string, schema: TSchema) => ({
  description,
  content: { 'application/json': { schema } },
})

export const post = {
  summary: 'Store a message',
  description: 'Answered when the message is durable. Sending it again does no harm.',
  body: Type.Object({ message: Type.String({ description: 'Any text without lone surrogates.' }) }),
  response: {
    200: described('It was there already.', Posted),
    201: described('It is stored; Location says where.', Posted),
  },
}

export const get = {
  summary: 'Read a message',
  params,
  headers: Type.Object({ 'if-none-match': Type.Optional(Type.String()) }),
  response: {
    200: described('The message; its bytes were verified.', Type.Object({ message: Type.String() })),
    304: { description: 'You have it.', type: 'null' },
    404: described('There is no such message.', NotFound),
  },
}

export const remove = {
  summary: 'Delete a message',
  params,
  response: {
    200: described('It is gone.', Type.Object({ message_deleted: Digest })),
    404: described('There is no such message.', NotFound),
  },
}
