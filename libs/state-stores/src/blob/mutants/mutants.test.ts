import { describeMutants } from '../../mutants/describe-mutants.ts'
import { mutants } from './mutants.ts'

describeMutants(mutants, Number(process.env['BLOB_MUTANTS'] ?? 1))
