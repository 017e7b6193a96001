// What is measured, as data. A row says what is done (`kind`, see kinds/), by which systems (systems.mjs), in registries of
// which sizes (of those of the run: the smallest, or each), and what is aimed for: a figure of the first system over the same
// figure of the second, `least` or `most`. Of two systems named together the better one counts.
const reads = ['cadastre', 'floor', 'map', 'yoga', 'mercurius']
const etcd = ['etcd', 'etcd3']

export const WORKLOADS = [
  { part: 'writes', name: 'changesets of 1 operation, 1 client', kind: 'load', request: 'write', operations: 1, connections: 1, systems: ['cadastre', ...etcd], sizes: 'smallest',
    aims: [{ figure: 'perSecond', over: etcd, least: 0.7 }] },
  { part: 'writes', name: 'changesets of 1 operation, 16 clients', kind: 'load', request: 'write', operations: 1, connections: 16, systems: ['cadastre', ...etcd], sizes: 'smallest', aims: [] },
  { part: 'writes', name: 'changesets of 1 operation, 64 clients', kind: 'load', request: 'write', operations: 1, connections: 64, systems: ['cadastre', ...etcd], sizes: 'smallest', inShort: true,
    aims: [{ figure: 'perSecond', over: etcd, least: 1.5 }] },
  { part: 'writes', name: 'changesets of 8 operations, 16 clients', kind: 'load', request: 'write', operations: 8, connections: 16, systems: ['cadastre', ...etcd], sizes: 'smallest', inShort: true,
    aims: [{ figure: 'perSecond', over: etcd, least: 2 }] },
  { part: 'writes', name: 'one changeset of 10,000 operations', kind: 'bulk', operations: 10_000, systems: ['cadastre', 'copy'], sizes: 'smallest', inShort: true,
    aims: [{ figure: 'ms', over: ['copy'], most: 2 }] },
  { part: 'writes', name: 'one changeset of 100,000 operations', kind: 'bulk', operations: 100_000, systems: ['cadastre', 'copy'], sizes: 'smallest', aims: [] },
  { part: 'writes', name: 'rollback over 100,000 changes', kind: 'rollback', operations: 100_000, systems: ['rollback', 'apply'], sizes: 'smallest',
    aims: [{ figure: 'ms', of: 'rollback', over: ['apply'], most: 2 }] },

  { part: 'reads', name: 'entry by id, 64 connections', kind: 'load', request: 'entry', connections: 64, systems: reads, sizes: 'each', inShort: true,
    aims: [{ figure: 'perSecond', over: ['floor'], least: 1.5 }, { figure: 'perSecond', over: ['map'], least: 0.6 }] },
  { part: 'reads', name: 'a page of 100, 16 connections', kind: 'load', request: 'page', connections: 16, systems: reads, sizes: 'each', inShort: true,
    aims: [{ figure: 'perSecond', over: ['floor'], least: 1.5 }] },
  { part: 'reads', name: '100 ids at once, 16 connections', kind: 'load', request: 'nodes', connections: 16, systems: ['cadastre', 'floor', 'map'], sizes: 'smallest', aims: [] },
  { part: 'reads', name: 'the store by itself, one client', kind: 'store', systems: ['head', 'old'], sizes: 'each',
    aims: [{ figure: 'get ms', of: 'old', over: ['head'], most: 1.3 }, { figure: 'page ms', of: 'old', over: ['head'], most: 1.3 }] },

  { part: 'following', name: '1,000 subscribers of one operation', kind: 'follow', subscribers: 1_000, filters: 1, systems: ['cadastre', 'ws'], sizes: 'smallest', inShort: true,
    aims: [{ figure: 'cpu', over: ['ws'], most: 1.3 }] },
  { part: 'following', name: '1,000 subscribers of 100 distinct filters', kind: 'follow', subscribers: 1_000, filters: 100, systems: ['cadastre', 'ws'], sizes: 'smallest',
    aims: [{ figure: 'cpu', over: ['ws'], most: 1.5 }] },
]
