// The workloads, as data. A row has a kind (see kinds/), the systems (systems.mjs), the sizes of registries (of the run's sizes the
// smallest or each, or none at all), and the aims (judge.mjs). Of several systems named together the better one counts. An aim
// without `least` and `most` only reports its ratio.
import { ALTERNATING_KINDS } from './kinds/variants.mjs'

const reads = ['cadastre', 'floor', 'map', 'yoga', 'mercurius']
const etcd = ['etcd', 'etcd3']
const reported = (figure, ...names) => names.map((name) => ({ figure, over: [name] }))
/** 20 percent. */
const AS_FAST = 1.2

/** Inputs of clients/heavy.mjs. */
const HEAVY = [
  'references in buildDelta',
  'references in a changeset',
  'operations in a changeset',
  'operations for one id',
  'values in an entry',
  'keys in an entry',
]

const MEASURED = [
  {
    part: 'writes',
    name: 'changesets of 1 operation, 1 client',
    kind: 'load',
    request: 'write',
    operations: 1,
    connections: 1,
    systems: ['cadastre', ...etcd],
    sizes: 'smallest',
    aims: [{ figure: 'perSecond', over: etcd, least: 0.7 }],
  },
  {
    part: 'writes',
    name: 'changesets of 1 operation, 16 clients',
    kind: 'load',
    request: 'write',
    operations: 1,
    connections: 16,
    systems: ['cadastre', ...etcd],
    sizes: 'smallest',
    aims: [{ figure: 'perSecond', over: etcd }],
  },
  {
    part: 'writes',
    name: 'changesets of 1 operation, 64 clients',
    kind: 'load',
    request: 'write',
    operations: 1,
    connections: 64,
    systems: ['cadastre', ...etcd],
    sizes: 'smallest',
    inShort: true,
    aims: [{ figure: 'perSecond', over: etcd, least: 1.5 }],
  },
  {
    part: 'writes',
    name: 'changesets of 1 operation, 64 clients, whose answers tell the version',
    kind: 'load',
    request: 'write',
    operations: 1,
    connections: 64,
    systems: ['cadastre, answers with version', 'cadastre'],
    sizes: 'smallest',
    aims: [{ figure: 'perSecond', of: 'cadastre, answers with version', over: ['cadastre'], least: 0.9 }],
  },
  {
    part: 'writes',
    name: 'changesets of 8 operations, 16 clients',
    kind: 'load',
    request: 'write',
    operations: 8,
    connections: 16,
    systems: ['cadastre', ...etcd],
    sizes: 'smallest',
    inShort: true,
    aims: [{ figure: 'perSecond', over: etcd, least: 2 }],
  },
  {
    part: 'writes',
    name: 'one changeset of 10,000 operations',
    kind: 'bulk',
    operations: 10_000,
    systems: ['cadastre', 'copy'],
    sizes: 'smallest',
    inShort: true,
    aims: [{ figure: 'ms', over: ['copy'], most: 2 }],
  },
  {
    part: 'writes',
    name: 'one changeset of 100,000 operations',
    kind: 'bulk',
    operations: 100_000,
    systems: ['cadastre', 'copy'],
    sizes: 'smallest',
    aims: [
      { figure: 'ms', over: ['copy'] },
      { figure: 'peak MB', atMost: 2_000 },
    ],
  },
  {
    part: 'writes',
    name: 'rollback over 100,000 changes',
    kind: 'rollback',
    operations: 100_000,
    systems: ['rollback', 'apply'],
    sizes: 'smallest',
    aims: [{ figure: 'ms', of: 'rollback', over: ['apply'], most: 2 }],
  },
  {
    part: 'writes',
    name: 'wait of others for one of the heaviest requests',
    kind: 'hold',
    systems: HEAVY,
    sizes: 'smallest',
    aims: HEAVY.map((of) => ({ figure: 'longest hold ms', of, atMost: 10 })),
  },

  {
    part: 'reads',
    name: 'entry by id, 64 connections',
    kind: 'load',
    request: 'entry',
    connections: 64,
    systems: reads,
    sizes: 'each',
    inShort: true,
    aims: [
      { figure: 'perSecond', over: ['floor'], least: 1.5 },
      { figure: 'perSecond', over: ['map'], least: 0.6 },
      ...reported('perSecond', 'yoga', 'mercurius'),
    ],
  },
  {
    part: 'reads',
    name: 'a page of 100, 16 connections',
    kind: 'load',
    request: 'page',
    connections: 16,
    systems: reads,
    sizes: 'each',
    inShort: true,
    aims: [{ figure: 'perSecond', over: ['floor'], least: 1.5 }, ...reported('perSecond', 'map', 'yoga', 'mercurius')],
  },
  {
    part: 'reads',
    name: '100 ids at once, 16 connections',
    kind: 'load',
    request: 'nodes',
    connections: 16,
    systems: ['cadastre', 'floor', 'map'],
    sizes: 'smallest',
    aims: reported('perSecond', 'floor', 'map'),
  },
  {
    part: 'reads',
    name: 'the store by itself, one client',
    kind: 'store',
    systems: ['head', 'old', 'smallest'],
    sizes: 'each',
    inShort: true,
    aims: [
      { figure: 'get ms', of: 'old', over: ['head'], most: 1.3 },
      { figure: 'page ms', of: 'old', over: ['head'], most: 1.3 },
      { figure: 'open a snapshot ms', of: 'old', over: ['smallest'], most: AS_FAST },
      { figure: 'delta of 10 ms', of: 'old', over: ['smallest'], most: AS_FAST },
      ...['by build, database ms', 'by tag, database ms', 'by kind, database ms'].flatMap((figure) => [
        { figure, of: 'head', atMost: 5 },
        { figure, of: 'old', atMost: 5 },
      ]),
    ],
  },
  {
    part: 'reads',
    name: 'history of an entry with 100,000 revisions',
    kind: 'history',
    revisions: 100_000,
    systems: ['many', 'few'],
    sizes: 'smallest',
    aims: [
      { figure: 'newest 10 ms', of: 'many', over: ['few'], most: AS_FAST },
      { figure: 'in the middle ms', of: 'many', over: ['few'], most: AS_FAST },
    ],
  },

  {
    part: 'following',
    name: '1,000 subscribers of one operation',
    kind: 'follow',
    subscribers: 1_000,
    filters: 1,
    systems: ['cadastre', 'ws'],
    sizes: 'smallest',
    inShort: true,
    aims: [{ figure: 'cpu', over: ['ws'], most: 1.3 }],
  },
  {
    part: 'following',
    name: '1,000 subscribers of 100 distinct filters',
    kind: 'follow',
    subscribers: 1_000,
    filters: 100,
    systems: ['cadastre', 'ws'],
    sizes: 'smallest',
    aims: [{ figure: 'cpu', over: ['ws'], most: 1.5 }],
  },
  {
    part: 'following',
    name: '1,000 subscribers of 100 distinct filters, each change for one of them',
    kind: 'follow',
    subscribers: 1_000,
    filters: 100,
    sparse: true,
    systems: ['cadastre', 'ws'],
    sizes: 'smallest',
    aims: [{ figure: 'cpu', over: ['ws'], most: 1.5 }],
  },
  {
    part: 'following',
    name: '10,000 idle subscribers',
    kind: 'idle',
    subscribers: 10_000,
    systems: ['cadastre', 'ws'],
    sizes: 'smallest',
    aims: [
      { figure: 'KB each', atMost: 25 },
      { figure: 'connections that asked in 10 s', atMost: 1 },
    ],
  },
  {
    part: 'following',
    name: '1,000 resume over 10,000 versions from one place',
    kind: 'resume',
    subscribers: 1_000,
    versions: 10_000,
    systems: ['cadastre'],
    sizes: 'smallest',
    aims: [
      { figure: 's', atMost: 10 },
      { figure: 'lost', atMost: 0 },
      { figure: 'gaps', atMost: 0 },
    ],
  },
  {
    part: 'following',
    name: '1,000 resume over 10,000 versions from 1,000 places',
    kind: 'resume',
    subscribers: 1_000,
    versions: 10_000,
    places: 1_000,
    systems: ['cadastre'],
    sizes: 'smallest',
    aims: [
      { figure: 's', atMost: 10 },
      { figure: 'lost', atMost: 0 },
      { figure: 'gaps', atMost: 0 },
    ],
  },
  {
    part: 'following',
    name: '200 stalled among 1,000 subscribers',
    kind: 'stalled',
    subscribers: 1_000,
    stalled: 200,
    systems: ['unstalled', 'stalled'],
    sizes: 'smallest',
    aims: [
      { figure: 'p99', of: 'stalled', over: ['unstalled'], most: 2 },
      { figure: 'MB more after 800 more', of: 'stalled', atMost: 32 },
      { figure: 'gaps', of: 'stalled', atMost: 0 },
    ],
  },
  {
    part: 'following',
    name: 'from one gateway to another',
    kind: 'propagation',
    systems: ['from its answer', 'from its sending', 'notify', 'notify with a row'],
    sizes: 'smallest',
    aims: [
      { figure: 'p50', of: 'from its answer', over: ['notify'], most: 3 },
      { figure: 'p50', of: 'from its sending', over: ['notify with a row'], most: 3 },
    ],
  },

  {
    part: 'starting',
    name: 'start and size',
    kind: 'start',
    systems: ['cold', 'warm', 'installed'],
    sizes: 'none',
    inShort: true,
    aims: [
      { figure: 'ms', of: 'cold', atMost: 3_000 },
      { figure: 'ms', of: 'warm', atMost: 1_000 },
      { figure: 'idle MB', of: 'warm', atMost: 150 },
      { figure: 'MB', of: 'installed', atMost: 200 },
    ],
  },
]

/** The optimizations that `CADASTRE_WITHOUT` switches off, with the workloads on which users would notice. */
const ABLATIONS = {
  'answer-cache': ['entry by id, 64 connections'],
  'head-page-cache': ['a page of 100, 16 connections'],
  'compiled-operations': [
    'entry by id, 64 connections',
    'a page of 100, 16 connections',
    'changesets of 1 operation, 64 clients',
    '1,000 subscribers of 100 distinct filters',
  ],
  'optimistic-writes': ['changesets of 1 operation, 1 client', 'changesets of 1 operation, 64 clients'],
  'shared-results': ['1,000 subscribers of one operation'],
  'frame-cache': ['1,000 subscribers of one operation', '1,000 resume over 10,000 versions from one place'],
  'log-page-cache': [
    '1,000 resume over 10,000 versions from one place',
    '1,000 resume over 10,000 versions from 1,000 places',
  ],
  bundle: ['start and size'],
}

const NO_FEWER = { least: 0.9 }
const NO_MORE = { most: 1.1 }
/** Each kind's figures that users notice, the main one first, and how much worse than in another checkout they may be. */
const NOTICED = {
  load: { perSecond: NO_FEWER, cpu: NO_MORE },
  bulk: { ms: NO_MORE, 'peak MB': NO_MORE },
  rollback: { ms: NO_MORE, 'peak MB': NO_MORE },
  follow: { cpu: NO_MORE },
  resume: { s: NO_MORE },
  idle: { 'KB each': NO_MORE },
  start: { ms: NO_MORE, 'idle MB': NO_MORE },
}

const ablations = Object.entries(ABLATIONS).flatMap(([without, names]) =>
  names.map((name) => {
    const of = MEASURED.find((workload) => workload.name === name)
    return {
      part: 'ablation',
      name: `${name}, without ${without}`,
      kind: 'variants',
      of,
      variants: { with: {}, without: { CADASTRE_WITHOUT: without } },
      systems: ['with', 'without'],
      sizes: of.sizes === 'none' ? 'none' : 'smallest',
      aims: [{ figure: Object.keys(NOTICED[of.kind])[0], of: 'with', over: ['without'] }],
    }
  }),
)

export const WORKLOADS = [...MEASURED, ...ablations]

/** The same workloads on the gateways of this checkout and of another one, which is built. `main` is its main module. */
export const comparedWith = (main, workloads) =>
  workloads
    .filter(({ kind }) => ALTERNATING_KINDS.includes(kind))
    .map((of) => ({
      ...of,
      kind: 'variants',
      of,
      variants: { now: {}, before: { BENCH_GATEWAY: main } },
      systems: ['now', 'before'],
      aims: Object.entries(NOTICED[of.kind]).map(([figure, aim]) => ({ figure, of: 'now', over: ['before'], ...aim })),
    }))
