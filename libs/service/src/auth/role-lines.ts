import { ConfigError } from '../config/config-error.ts'
import { isRole, roles, type Role } from '../roles.ts'

export interface RoleLine {
  readonly role: Role
  readonly rest: string
}

/** Reads a file of `role:rest` lines; empty lines and what follows `#` at the start of a line are ignored. Throws ConfigError naming the line. */
export function parseRoleLines(text: string, path: string, shape: RegExp, example: string): readonly RoleLine[] {
  const lines: RoleLine[] = []
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const colon = line.indexOf(':')
    const role = line.slice(0, colon)
    const rest = line.slice(colon + 1)
    if (!isRole(role) || role === 'public' || !shape.test(rest)) {
      // The line itself may hold a secret that was pasted by mistake: it is not repeated.
      throw new ConfigError(
        `line ${index + 1} of ${path} must read ${example}, with a role of ${roles.slice(1).join(', ')}`,
      )
    }
    lines.push({ role, rest })
  }
  if (lines.length === 0) throw new ConfigError(`${path} names nobody: add a line like ${example}`)
  return lines
}
