import { at, show, type KubernetesObject } from './objects.ts'

/** Groups whose schemas come with the objects of this workspace; other groups are CRDs, which a cluster checks. */
const builtIn = /^(v1|apps\/|autoscaling\/|batch\/|policy\/|[a-z.]+\.k8s\.io\/)/

export const isBuiltIn = ({ apiVersion }: KubernetesObject): boolean =>
  builtIn.test(apiVersion) && !apiVersion.startsWith('gateway.')

/** What is wrong with an object by the schema of its kind; undefined for kinds that no schema is known of. */
export async function schemaErrors(object: KubernetesObject): Promise<readonly string[] | undefined> {
  const { apiVersion, kind } = object
  // kustomize breaks long base64 into lines, which an API server takes and the schema does not.
  if (kind === 'Secret') return undefined
  if (!isBuiltIn(object)) return undefined
  const name = `kubernetes-models/${apiVersion}/${kind}`
  const module: unknown = await import(/* @vite-ignore */ name)
  const model = at(module, kind)
  if (typeof model !== 'function') throw new Error(`kubernetes-models has no ${apiVersion} ${kind}`)
  const instance: unknown = Reflect.construct(model, [object])
  const validate = at(instance, 'validate')
  if (typeof validate !== 'function') throw new Error(`${kind} cannot be validated`)
  try {
    Reflect.apply(validate, instance, [])
    return []
  } catch (error) {
    return [`${show(object)}: ${error instanceof Error ? error.message : String(error)}`]
  }
}
