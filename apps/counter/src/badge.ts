export interface Badge {
  readonly label: string
  readonly value: string
  /** `#` and hexadecimal digits. */
  readonly color: string
}

/** A flat badge as SVG: a label and a value side by side. Text is escaped; the width is estimated, as SVG cannot measure it. */
export function badgeSvg({ label, value, color }: Badge): string {
  const [left, right] = [widthOf(label), widthOf(value)]
  const text = (content: string, from: number, width: number): string =>
    `<text x="${from + width / 2}" y="14" text-anchor="middle">${escapeXml(content)}</text>`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${left + right}" height="20" role="img" aria-label="${escapeXml(`${label}: ${value}`)}">`,
    `<title>${escapeXml(`${label}: ${value}`)}</title>`,
    `<clipPath id="r"><rect width="${left + right}" height="20" rx="3"/></clipPath>`,
    `<g clip-path="url(#r)"><rect width="${left}" height="20" fill="#555"/><rect x="${left}" width="${right}" height="20" fill="${escapeXml(color)}"/></g>`,
    `<g fill="#fff" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="11">`,
    `${text(label, 0, left)}${text(value, left, right)}</g>`,
    `</svg>\n`,
  ].join('')
}

const widthOf = (text: string): number => 10 + Math.ceil(Array.from(text).length * 6.8)

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escapeXml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => escapes[character] ?? '')
}
