import { Type } from 'typebox'

const bytes = { 'application/octet-stream': { schema: Type.String({ format: 'binary' }) } }
const digest = Type.String({ description: 'SHA-256 of the bytes: 64 lower-case hex digits.' })
const key = Type.String({ description: '1 to 200 of A-Z a-z 0-9 . _ ~ : @ + = - and no dot at the beginning.' })

const reading = {
  headers: Type.Object({
    range: Type.Optional(Type.String({ description: 'One range of bytes; several are answered in whole.' })),
    'if-range': Type.Optional(Type.String()),
    'if-none-match': Type.Optional(Type.String()),
    'accept-encoding': Type.Optional(Type.String({ description: 'With zstd the answer may have that coding.' })),
  }),
  response: {
    200: { description: 'The bytes, each chunk verified before it was sent.', content: bytes },
    206: { description: 'The range.', content: bytes },
    304: { description: 'You have it.', type: 'null' },
  },
}

const writing = {
  headers: Type.Object({
    'content-encoding': Type.Optional(Type.String({ description: 'zstd or identity.' })),
    'if-none-match': Type.Optional(
      Type.String({ description: 'With * it is stored only if there is nothing under this name; else 412.' }),
    ),
  }),
  response: {
    200: { description: 'There was something under this name already.', type: 'null' },
    201: { description: 'Stored, durably.', type: 'null' },
  },
}

const removing = { response: { 204: { description: 'It is gone.', type: 'null' } } }

export const cas = {
  get: { summary: 'Read bytes by their digest', params: Type.Object({ digest }), ...reading },
  put: {
    summary: 'Store bytes under their digest',
    description: 'Streamed and verified: with another digest nothing is stored. The length need not be announced.',
    params: Type.Object({ digest }),
    ...writing,
  },
  remove: { summary: 'Delete bytes by their digest', params: Type.Object({ digest }), ...removing },
}

export const ac = {
  get: { summary: 'Read the bytes under a key', params: Type.Object({ key }), ...reading },
  put: { summary: 'Store bytes under a key, or replace those there', params: Type.Object({ key }), ...writing },
  remove: { summary: 'Delete a key and its bytes', params: Type.Object({ key }), ...removing },
}
