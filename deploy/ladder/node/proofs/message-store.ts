import { ask, namespace, rolledOut, type ProofContext } from '../proof.ts'

const url = 'http://10.96.0.22/messages'

/** On a ReadWriteOncePod volume: what was answered is there after its pod was deleted. */
export async function proveMessageStore(context: ProofContext): Promise<void> {
  const answer = await ask(context, url, 'POST', JSON.stringify({ message: 'kept' }))
  const digest = /[0-9a-f]{64}/.exec(answer)?.[0]
  if (digest === undefined) throw new Error(`the message store answered ${answer}`)
  await context.kubectl.run(['delete', 'pod', 'message-store-0', `--namespace=${namespace}`, '--timeout=120s'])
  await rolledOut(context, 'statefulset/message-store')
  const kept = await ask(context, `${url}/${digest}`)
  context.table.add('a message on a ReadWriteOncePod volume, after its pod was deleted', kept)
  if (!kept.includes('kept')) throw new Error('the message did not outlive its pod')
}
