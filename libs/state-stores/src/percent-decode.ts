/** A part of a URL. Throws the end of a sentence on the URL, without the part, which may be a secret. */
export function percentDecode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch (cause) {
    throw new Error('has a % that two hexadecimal digits do not follow (a % itself is %25)', { cause })
  }
}
