import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Authenticator } from '@ballast/service'

export interface ConsoleToken {
  /** Goes to whoever started the platform, in the address that is printed. */
  readonly text: string
  readonly authenticator: Authenticator
}

/** Who has no token may look; who has that of this launcher may do everything; a wrong or an old one is refused. */
export function mintToken(): ConsoleToken {
  const text = randomBytes(18).toString('base64url')
  const expected = digest(text)
  return {
    text,
    authenticator: {
      scheme: 'tokens',
      identify({ headers: { authorization } }) {
        if (authorization === undefined) return { name: 'anyone here', role: 'reader' }
        const given = /^bearer +(\S+)$/i.exec(authorization)?.[1] ?? ''
        return timingSafeEqual(digest(given), expected) ? { name: 'who started it', role: 'admin' } : undefined
      },
    },
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
