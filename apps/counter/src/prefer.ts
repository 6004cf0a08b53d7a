/** RFC 7240: the caller does not want the body. */
export const wantsMinimal = (prefer: string | undefined): boolean =>
  prefer !== undefined && /(?:^|[,;\s])return\s*=\s*"?minimal"?(?:$|[,;\s])/i.test(prefer)
