import { describeHostileInput } from '../src/hostile-input/index.ts'
import { startFixture } from './start-fixture.ts'

describeHostileInput(
  'fixture',
  async () => {
    const fixture = startFixture(['--request-timeout-ms', '6000'])
    return Object.assign(fixture, { url: await fixture.url() })
  },
  { jsonRoute: { method: 'POST', path: '/things/a' }, requestTimeoutMs: 6_000 },
)
