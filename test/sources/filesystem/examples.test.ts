import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { MappingExpressions } from '../../../src/sources/forms/mapping.js'
import { Following, temporaryFolder, zip } from './folder-fixture.js'

interface Configured {
  readonly path: string
  readonly form: MappingExpressions
  readonly schemas?: Record<string, string>
}

/** The source of an example's cadastre.yaml, over a copy of its files. */
async function example(name: string): Promise<Following & { readonly folder: string }> {
  const folder = await temporaryFolder()
  await cp(fileURLToPath(new URL(`../../../examples/${name}`, import.meta.url)), folder, { recursive: true })
  const {
    sources: [source],
  } = parse(await readFile(join(folder, 'cadastre.yaml'), 'utf8')) as { sources: [Configured] }
  const schemas = Object.fromEntries(
    Object.entries(source.schemas ?? {}).map(([pattern, path]) => [pattern, join(folder, path)]),
  )
  const path = join(folder, source.path)
  return Object.assign(new Following({ path, form: source.form, schemas }), { folder: path })
}

async function entriesOf(following: Following) {
  const result = await following.scan()
  expect(result.faults).toEqual([])
  return Object.fromEntries(
    result.all
      .flatMap((scanned) => (scanned.unchanged ? [] : scanned.entries))
      .map(({ id, line, content: { kind, meta, data } }) => [id, { kind, meta, data, line }]),
  )
}

describe('the examples', () => {
  it('read Nuclei templates: id, info, and tags as a list', async () => {
    const entries = await entriesOf(await example('nuclei'))
    expect(Object.keys(entries)).toEqual(['nuclei:exposed-status-page', 'nuclei:old-banner'])
    expect(entries['nuclei:exposed-status-page']).toMatchObject({
      kind: 'nuclei.template',
      meta: {
        name: 'Status page without a login',
        severity: 'low',
        tags: ['exposure', 'status', 'misconfig'],
        metadata: { 'max-request': 1 },
      },
      data: { http: [{ method: 'GET', matchers: [{ type: 'word', words: ['uptime'] }] }] },
    })
    expect(entries['nuclei:exposed-status-page']!.data).not.toHaveProperty('info')
    expect(entries['nuclei:old-banner']!.meta['tags']).toEqual(['banner'])
  })

  it('read Kubernetes manifests: several documents, lists, and objects without namespace', async () => {
    const entries = await entriesOf(await example('kubernetes'))
    expect(Object.entries(entries).map(([id, { kind, line }]) => [id, kind, line])).toEqual([
      ['shop:ingress/web', 'kubernetes.networking.k8s.io.v1.Ingress', 5],
      ['default:configmap/settings', 'kubernetes.v1.ConfigMap', 6],
      ['default:namespace/shop', 'kubernetes.v1.Namespace', 1],
      ['shop:deployment/web', 'kubernetes.apps.v1.Deployment', 6],
      ['shop:service/web', 'kubernetes.v1.Service', 22],
    ])
    expect(entries['shop:deployment/web']).toMatchObject({
      meta: { name: 'web', labels: { app: 'web', tier: 'front' } },
      data: { kind: 'Deployment', spec: { replicas: 2 } },
    })
  })

  it('read task folders: metadata, program and both schemas', async () => {
    const following = await example('tasks')
    expect(await entriesOf(following)).toMatchObject({
      'tasks:greet': { kind: 'task.js', meta: { title: 'Say hello' }, data: { output: { type: 'string' } } },
      'tasks:resize': {
        kind: 'task.js',
        meta: { title: 'Make a picture smaller', timeoutSeconds: 30, tags: ['pictures'] },
        data: {
          main: expect.stringContaining('images.resize'),
          input: { required: ['picture', 'width'] },
          output: { required: ['picture'] },
        },
      },
    })
    await writeFile(join(following.folder, 'greet/main.js'), 'export default () => "bye"')
    expect((await following.scan()).ids).toEqual(['tasks:greet'])
    await writeFile(join(following.folder, 'greet/input.schema.json'), '{"type": }')
    expect((await following.scan()).faults).toEqual([
      'greet/input.schema.json:1: expected a value',
      "greet/metadata.json:1: the mapping's expression for data failed: input.schema.json:1:10: expected a value",
    ])
  })

  it("read zipped tasks, in the archive's root or in folders", async () => {
    const following = await example('tasks')
    const files = Object.fromEntries(
      await Promise.all(
        ['metadata.json', 'main.js', 'input.schema.json', 'output.schema.json'].map(
          async (name) =>
            [
              name,
              (await readFile(join(following.folder, 'greet', name), 'utf8')).replace('tasks:greet', 'zipped:greet'),
            ] as const,
        ),
      ),
    )
    await writeFile(join(following.folder, 'greet.zip'), await zip(files))
    const nested = Object.fromEntries(
      Object.entries(files).map(([name, text]) => [`greet/${name}`, text.replace('zipped:greet', 'nested:greet')]),
    )
    await writeFile(join(following.folder, 'nested.zip'), await zip(nested))
    const entries = await entriesOf(following)
    expect(Object.keys(entries)).toEqual(['zipped:greet', 'tasks:greet', 'nested:greet', 'tasks:resize'])
    expect(entries['zipped:greet']!.data).toEqual(entries['tasks:greet']!.data)
  })
})
