import pretty from 'pino-pretty'

/** Lines for people. Its own file, so that a service in a container does not load it. */
export function prettyStream(fd: number): ReturnType<typeof pretty> {
  return pretty({
    destination: fd,
    sync: true,
    colorize: process.env['NO_COLOR'] === undefined,
    ignore: 'pid,hostname',
    translateTime: 'SYS:HH:MM:ss.l',
  })
}
