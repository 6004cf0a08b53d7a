import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { anchorsOf, documents, linksOf, read, root } from './markdown.ts'

test.each(documents())('links and anchors of %s lead somewhere', (document) => {
  const broken = linksOf(document, read(document)).filter(({ path, anchor }) => {
    if (!existsSync(join(root, path))) return true
    return anchor !== undefined && path.endsWith('.md') && !anchorsOf(read(path)).has(anchor)
  })
  expect(broken.map(({ target }) => target)).toEqual([])
})

test('every document in docs/ is in its index, and the README has less than 150 lines', () => {
  const linked = new Set(linksOf('docs/README.md', read('docs/README.md')).map(({ path }) => path))
  const inDocs = documents().filter((path) => path.startsWith('docs/') && path !== 'docs/README.md')
  // A folder that is linked stands for what is in it.
  const known = (path: string): boolean => linked.has(path) || linked.has(path.replace(/\/[^/]+$/, ''))
  expect(inDocs.filter((path) => !known(path))).toEqual([])
  expect(read('README.md').split('\n').length).toBeLessThan(150)
})

test('anchors are those of GitHub', () => {
  expect([...anchorsOf('# What `x` is: (a)\n```sh\n# no\n```\n## Same\n## Same\n')]).toEqual([
    'what-x-is-a',
    'same',
    'same-1',
  ])
})
