/** Every optimization that benchmarks and tests can switch off, with its effect. */
export const OPTIMIZATIONS = {
  'answer-cache': 'Answers a GraphQL query from memory while the entries that it read are unchanged.',
  'optimistic-writes': 'Plans a batch on the state that the last batch left, without reading the registry first.',
  'head-page-cache': 'Caches pages of entries at the head until an entry in them changes.',
  'log-page-cache': 'Shares pages of the change log among the subscribers that read them.',
  'shared-results': 'Executes a subscription once for all subscribers that would receive the same results.',
  'frame-cache': 'Encodes a result as a WebSocket frame once for all sockets that send it.',
  'compiled-operations': 'Compiles a GraphQL document once instead of interpreting it for each request.',
  bundle: 'Starts the gateway from one bundled file instead of about 900 modules.',
} as const satisfies Readonly<Record<string, string>>

export type Optimization = keyof typeof OPTIMIZATIONS

/** Whether each optimization is on. */
export type OptimizationSwitches = Readonly<Record<Optimization, boolean>>

export const OPTIMIZATION_NAMES = Object.keys(OPTIMIZATIONS) as readonly Optimization[]

export const ALL_OPTIMIZATIONS: OptimizationSwitches = switchesWithout(new Set())

/**
 * Reads names of optimizations to switch off, separated by commas.
 * @returns the switches, and the names that are not in the table
 */
export function parseWithout(text: string): { readonly switches: OptimizationSwitches; readonly unknown: string[] } {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  return {
    switches: switchesWithout(new Set(names)),
    unknown: names.filter((name) => !Object.hasOwn(OPTIMIZATIONS, name)),
  }
}

function switchesWithout(names: ReadonlySet<string>): OptimizationSwitches {
  return Object.fromEntries(OPTIMIZATION_NAMES.map((name) => [name, !names.has(name)])) as OptimizationSwitches
}
