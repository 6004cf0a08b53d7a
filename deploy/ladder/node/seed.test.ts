import { expect, test } from 'vitest'
import { at, isWorkload, parseObjects } from '../../kustomize/objects.ts'
import { committed } from '../../kustomize/rendered.ts'
import { onThisNode } from './seed.ts'

test('without DNS every pod knows every Service by an address of its own, and every image is one of the node', async () => {
  const rendered = parseObjects(await committed('seed'))
  const { objects, addresses } = onThisNode(rendered)
  const services = objects.filter(({ kind }) => kind === 'Service')
  expect(new Set(addresses.values()).size).toBe(services.length)
  for (const service of services) expect(at(service, 'spec', 'clusterIP')).toBe(addresses.get(service.metadata.name))
  const workloads = objects.filter(isWorkload)
  expect(workloads.length).toBe(rendered.filter(isWorkload).length)
  for (const { spec } of workloads) {
    const known = [at(spec.template.spec, 'hostAliases')].flat().flatMap((alias) => at(alias, 'hostnames'))
    expect(known).toEqual([...addresses.keys(), 'kubernetes.default.svc'])
    for (const { image } of spec.template.spec.containers) expect(image).toMatch(/^localhost\/ballast\/[\w-]+:[\w.-]+$/)
  }
  expect(objects.filter(({ kind }) => kind === 'HorizontalPodAutoscaler')).toEqual([])
})
