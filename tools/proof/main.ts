import { runProgram } from '../platform/command-line.ts'
import { proofs } from './proofs.ts'
import { runProof } from './run-proof.ts'

await runProgram(() =>
  runProof({
    argv: process.argv.slice(2),
    env: process.env,
    proofs,
    print: (line) => void process.stdout.write(`${line}\n`),
  }),
)
