import { openStream } from '../index.ts'

/** Another process that appends one entry and ends. */
const [, , url = ''] = process.argv
const stream = await openStream(url)
await stream.append([{ documents: 1, body: Buffer.from('from elsewhere') }])
await stream.close()
