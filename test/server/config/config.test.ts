import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DEFAULT_DEPENDENCY_PATTERNS } from '../../../src/core/dependency/default-dependency-patterns.js'
import { type Environment, loadConfig } from '../../../src/server/config/config.js'
import { ConfigError } from '../../../src/server/config/config-error.js'
import { ALL_OPTIMIZATIONS } from '../../../src/store/contract/optimizations.js'

describe('the configuration', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cadastre-config-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const file = (text: string) => writeFileSync(join(folder, 'cadastre.yaml'), text)
  const problems = (environment: Environment = {}): readonly string[] => {
    try {
      loadConfig(environment, folder)
    } catch (error) {
      if (error instanceof ConfigError) return error.problems
      throw error
    }
    return []
  }

  it('has a default for everything', () => {
    expect(loadConfig({}, folder)).toEqual({
      store: null,
      answerBytes: null,
      documents: null,
      bus: null,
      host: '127.0.0.1',
      port: 4000,
      backend: 'embedded',
      databaseUrl: null,
      dataDir: join(folder, '.cadastre'),
      logLevel: 'info',
      introspection: true,
      publicUrls: [],
      allowedOrigins: [],
      dependencies: DEFAULT_DEPENDENCY_PATTERNS,
      limits: { entryBytes: 1_048_576, changesetOperations: 100_000, changesetBytes: 67_108_864 },
      internalKinds: ['registry.entry', 'ns.requirement', 'ns.dependency', 'ns.definition'],
      transactions: { operationSeconds: 30, totalSeconds: 300 },
      participants: [],
      plugins: [],
      sources: [],
      configFolder: folder,
      federation: null,
      compose: null,
      optimizations: ALL_OPTIMIZATIONS,
    })
  })

  it('reads the environment and ignores empty variables', () => {
    const config = loadConfig(
      {
        HOST: '0.0.0.0',
        PORT: '0',
        DATABASE_URL: 'postgres://me@host/db',
        CADASTRE_DATA_DIR: 'here',
        CADASTRE_STORE: '',
        CADASTRE_INTROSPECTION: 'off',
        CADASTRE_LOG_LEVEL: 'warn',
        CADASTRE_ALLOWED_ORIGINS: 'https://a.example, http://b.example:81',
      },
      folder,
    )
    expect(config).toMatchObject({
      host: '0.0.0.0',
      port: 0,
      backend: 'postgres',
      databaseUrl: 'postgres://me@host/db',
      dataDir: join(folder, 'here'),
      introspection: false,
      logLevel: 'warn',
      allowedOrigins: ['https://a.example', 'http://b.example:81'],
    })
    expect(loadConfig({ DATABASE_URL: 'postgres://me@host/db', CADASTRE_STORE: 'memory' }, folder).backend).toBe(
      'memory',
    )
  })

  it('switches off the optimizations in CADASTRE_WITHOUT and reports unknown ones', () => {
    const { optimizations } = loadConfig({ CADASTRE_WITHOUT: 'answer-cache, optimistic-writes,' }, folder)
    expect(optimizations).toEqual({ ...ALL_OPTIMIZATIONS, 'answer-cache': false, 'optimistic-writes': false })
    expect(problems({ CADASTRE_WITHOUT: 'answer-cache,speed' })).toEqual([
      'CADASTRE_WITHOUT is "answer-cache,speed". It must be names out of answer-cache, optimistic-writes, head-page-cache, log-page-cache, shared-results, frame-cache, compiled-operations, bundle, separated by commas.',
    ])
    expect(problems({ CADASTRE_WITHOUT: 'toString' })).toHaveLength(1)
  })

  it('reads the file and replaces environment variables in it', () => {
    file(
      'dependencies:\n  - { path: "meta.${FIELD}" }\n  - { path: data.imports.*, allowWildcard: true }\nlimits: { entryBytes: 1000 }\n' +
        'internalKinds: [a.b]\ntransactions: { operationSeconds: 5 }\nsources: []\nparticipants:\nplugins: []\n',
    )
    expect(loadConfig({ FIELD: 'server' }, folder)).toMatchObject({
      dependencies: [
        { path: 'meta.server', allowWildcard: false },
        { path: 'data.imports.*', allowWildcard: true },
      ],
      limits: { entryBytes: 1000, changesetOperations: 100_000 },
      internalKinds: ['a.b'],
      transactions: { operationSeconds: 5, totalSeconds: 300 },
    })
    writeFileSync(join(folder, 'other.yaml'), 'limits: { entryBytes: 7 }')
    expect(loadConfig({ CADASTRE_CONFIG: 'other.yaml' }, folder).limits.entryBytes).toBe(7)
  })

  it('reads participants with their defaults, and plugins relative to the file', () => {
    file(
      'participants:\n  - { name: a, url: "http://127.0.0.1:1/hook" }\n' +
        '  - { name: b, url: "https://b.example/", kinds: ["service.**"], timeoutSeconds: 3, onFailure: pass, secret: "${HOOK_SECRET}" }\n' +
        'plugins: [./policy.js]\ntransactions: { operationSeconds: 7 }\n',
    )
    expect(loadConfig({ HOOK_SECRET: 'sesame' }, folder)).toMatchObject({
      participants: [
        {
          name: 'a',
          url: 'http://127.0.0.1:1/hook',
          kinds: ['**'],
          timeoutSeconds: 7,
          onFailure: 'refuse',
          secret: null,
        },
        {
          name: 'b',
          url: 'https://b.example/',
          kinds: ['service.**'],
          timeoutSeconds: 3,
          onFailure: 'pass',
          secret: 'sesame',
        },
      ],
      plugins: [join(folder, 'policy.js')],
    })
    file('participants: [{ name: a, url: "http://x" }, { name: a, url: "http://y" }]')
    expect(problems()).toEqual([expect.stringContaining('two participants have the name "a"') as string])
  })

  it('reports every problem at once', () => {
    file(
      [
        'dependencies: [{ path: elsewhere.x }, { path: meta.x, wild: true }]',
        'limits: { entryBytes: -1, entries: 5 }',
        'internalKinds: ["not a kind"]',
        'sources: [{ name: app, colour: red }]',
        'participants: [{ name: p, url: "ftp://x", kinds: ["a..b"], colour: red }]',
        'plugins: [1]',
        'secret: ${NOT_SET}',
        'colour: red',
      ].join('\n'),
    )
    const found = problems({
      PORT: '70000',
      HOST: 'a b',
      DATABASE_URL: 'mysql://x',
      CADASTRE_STORE: 'cloud',
      CADASTRE_LOG_LEVEL: 'loud',
      CADASTRE_INTROSPECTION: 'maybe',
      CADASTRE_ALLOWED_ORIGINS: 'x',
    })
    for (const part of [
      'PORT',
      'HOST',
      'DATABASE_URL',
      'CADASTRE_STORE',
      'CADASTRE_LOG_LEVEL',
      'CADASTRE_INTROSPECTION',
      'CADASTRE_ALLOWED_ORIGINS',
      'elsewhere.x',
      'dependencies[1].wild',
      'limits.entryBytes',
      'limits.entries',
      'internalKinds[0]',
      'sources[0]',
      'participants[0].url',
      'participants[0].kinds[0]',
      'participants[0].colour',
      'plugins[0]',
      'NOT_SET',
      'colour',
    ])
      expect(
        found.filter((problem) => problem.includes(part)),
        part,
      ).not.toEqual([])
    expect(found.filter((problem) => problem.includes('limits.entryBytes'))).toHaveLength(1)
  })

  it('reports the line of invalid YAML, a missing file, and a store without its URL', () => {
    file('limits:\n  entryBytes: 1\n entryBytes: [')
    expect(problems()[0]).toMatch(/cadastre\.yaml, line \d/)
    expect(problems({ CADASTRE_CONFIG: 'gone.yaml' })).toEqual([
      expect.stringContaining('gone.yaml, which does not exist.') as string,
    ])
    file('')
    expect(problems({ CADASTRE_STORE: 'postgres' })).toEqual([expect.stringContaining('needs DATABASE_URL') as string])
    file('- a list')
    expect(problems()).toHaveLength(1)
    file(
      'a: &a [x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]',
    )
    expect(problems()).not.toEqual([])
  })
})
