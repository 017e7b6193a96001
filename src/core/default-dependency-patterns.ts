import type { DependencyPattern } from './dependency.js'

const PATHS = [
  'meta.parent', 'meta.depends_on', 'meta.server', 'meta.router',
  'meta.temporal.activity.worker', 'meta.temporal.workflow.worker',
  'data.config', 'data.imports.*', 'data.depends_on', 'data.*.depends_on',
  'data.lifecycle.depends_on', 'data.lifecycle.requires',
  'data.lifecycle.security.policies', 'data.lifecycle.security.groups',
  'data.security.policies', 'data.security.groups',
  'data.storage', 'data.storages', 'data.store', 'data.bucket', 'data.queue', 'data.dead_letter.queue',
  'data.func', 'data.driver', 'data.host', 'data.process', 'data.server',
  'data.middleware', 'data.post_middleware', 'data.network', 'data.token_store',
  'data.set', 'data.env', 'data.fs',
  'data.contracts.*.contract', 'data.contracts.*.methods.*',
]

/** Where entries refer to each other, unless configured otherwise. */
export const DEFAULT_DEPENDENCY_PATTERNS: readonly DependencyPattern[] = PATHS.map((path) =>
  path.includes('*') ? { path, allowWildcard: true } : { path },
)
