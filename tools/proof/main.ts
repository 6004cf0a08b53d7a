import { messageOf, UsageError } from '../platform/command-line.ts'
import { proofs } from './proofs.ts'
import { runProof } from './run-proof.ts'

try {
  process.exitCode = await runProof({
    argv: process.argv.slice(2),
    env: process.env,
    proofs,
    print: (line) => void process.stdout.write(`${line}\n`),
  })
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exitCode = error instanceof UsageError ? 2 : 1
}
