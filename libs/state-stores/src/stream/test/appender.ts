import { openStream } from '../index.ts'

/** A process of the crash tests: appends numbered entries without pause and prints each number once it is acknowledged. */
const [, , url = '', name = ''] = process.argv
const stream = await openStream(url)
for (let number = 0; ; number += 4) {
  const numbers = [number, number + 1, number + 2, number + 3]
  const outcomes = await stream.append(numbers.map((n) => ({ documents: 1, body: Buffer.from(`${name}:${n}`) })))
  const lines = numbers.filter((_, index) => outcomes[index]?.outcome === 'appended').map((n) => `${name}:${n}\n`)
  process.stdout.write(lines.join(''))
}
