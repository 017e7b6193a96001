import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../../src/server/config/config.js'
import { testGateway } from '../server-fixture.js'

function load(yaml: string) {
  const folder = mkdtempSync(join(tmpdir(), 'cadastre-'))
  writeFileSync(join(folder, 'cadastre.yaml'), yaml)
  return { folder, config: loadConfig({ WHERE: 'here' }, folder) }
}

describe('the sources section', () => {
  it('has defaults and passes the other keys to the provider', () => {
    const { config, folder } = load(
      'sources:\n  - { name: app, provider: filesystem, path: "./${WHERE}", form: entry }\n  - { name: b, provider: http, watch: false, missing: unavailable, conflict: newer }\n',
    )
    expect(config.configFolder).toBe(folder)
    expect(config.sources).toEqual([
      {
        name: 'app',
        provider: 'filesystem',
        watch: true,
        missing: 'delete',
        conflict: 'source',
        allowEmpty: false,
        options: { path: './here', form: 'entry' },
      },
      {
        name: 'b',
        provider: 'http',
        watch: false,
        missing: 'unavailable',
        conflict: 'newer',
        allowEmpty: false,
        options: {},
      },
    ])
  })

  it('may be missing or empty', () => {
    expect(load('sources:\n').config.sources).toEqual([])
    expect(load('limits:\n').config.sources).toEqual([])
  })

  it('reports all problems at once', () => {
    const wrong =
      'sources:\n  - { name: app, provider: filesystem, missing: keep }\n  - { name: app, conflict: mine, watch: "yes", provider: http }\n  - { name: "a b", provider: http }\n'
    const places = [
      'sources[0].missing',
      'sources[1].conflict',
      'sources[1].watch',
      'sources[2].name: must have no white space',
    ]
    for (const place of places) expect(() => load(wrong)).toThrow(place)
    const twice = 'sources:\n  - { name: app, provider: filesystem }\n  - { name: app, provider: http }\n'
    expect(() => load(twice)).toThrow('two sources have the name "app"')
  })

  it('prevents the start if a provider is unknown', async () => {
    const { config } = load('sources:\n  - { name: app, provider: nothing }\n  - { name: other, provider: nowhere }\n')
    await expect(testGateway({}, { sources: config.sources })).rejects.toThrow(
      /The source "app": .*"nothing"[\s\S]*The source "other": .*"nowhere"/,
    )
  })
})
