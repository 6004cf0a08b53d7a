/** From no rights to all; each role may do what the ones before it may. */
export const roles = ['public', 'reader', 'writer', 'operator', 'admin'] as const
export type Role = (typeof roles)[number]

export function isRole(value: unknown): value is Role {
  return roles.some((role) => role === value)
}

export function reaches(held: Role, needed: Role): boolean {
  return roles.indexOf(held) >= roles.indexOf(needed)
}
