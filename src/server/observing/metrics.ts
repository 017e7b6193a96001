import type { ExecutionResult, OperationTypeNode } from 'graphql'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Registry as CadastreRegistry } from '../../registry/registry.js'

/** Metrics of one gateway, for Prometheus. */
export interface Metrics {
  readonly contentType: string
  text(): Promise<string>
  /** Returns a function to be called at the operation's end, with its result or null for a stream. */
  operationStarted(type: OperationTypeNode): (result: Pick<ExecutionResult, 'errors'> | null) => void
  socketOpened(): () => void
}

type Outcomes = Record<OperationTypeNode, Counter.Internal>

export function createMetrics({ finderCache }: Pick<CadastreRegistry, 'finderCache'>): Metrics {
  const register = new Registry()
  collectDefaultMetrics({ register, prefix: 'cadastre_' })
  const registers = [register]
  const operations = new Counter({
    name: 'cadastre_operations_total',
    help: 'Completed GraphQL operations',
    labelNames: ['type', 'outcome'],
    registers,
  })
  const seconds = new Histogram({
    name: 'cadastre_operation_seconds',
    help: 'Duration of queries and mutations',
    labelNames: ['type'],
    registers,
    buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
  })
  /** Cached, because finding a counter by its labels takes as long as counting. */
  const ended = { ok: {} as Outcomes, error: {} as Outcomes }
  const took = {} as Record<OperationTypeNode, Histogram.Internal<'type'>>
  for (const type of ['query', 'mutation', 'subscription'] as OperationTypeNode[]) {
    for (const outcome of ['ok', 'error'] as const) ended[outcome][type] = operations.labels({ type, outcome })
    if (type !== 'subscription') took[type] = seconds.labels({ type })
  }
  const subscriptions = new Gauge({ name: 'cadastre_subscriptions', help: 'Open subscriptions', registers })
  const sockets = new Gauge({ name: 'cadastre_websockets', help: 'Open WebSockets', registers })
  // Read on collection, because the finder counts itself.
  new Counter({
    name: 'cadastre_finder_cache_total',
    help: 'Lookups of finds and counts in the cache',
    labelNames: ['outcome'],
    registers,
    collect() {
      const { hits, misses } = finderCache()
      this.reset()
      this.inc({ outcome: 'hit' }, hits)
      this.inc({ outcome: 'miss' }, misses)
    },
  })
  new Gauge({
    name: 'cadastre_finder_cache_results',
    help: 'Cached results',
    registers,
    collect() {
      this.set(finderCache().results)
    },
  })
  new Gauge({
    name: 'cadastre_finder_cache_bytes',
    help: 'Approximate size of the cached results',
    registers,
    collect() {
      this.set(finderCache().bytes)
    },
  })

  return {
    contentType: register.contentType,
    text: () => register.metrics(),
    operationStarted(type) {
      const began = performance.now()
      if (type === 'subscription') subscriptions.inc()
      return (result) => {
        if (type === 'subscription') subscriptions.dec()
        else took[type].observe((performance.now() - began) / 1_000)
        ended[(result?.errors?.length ?? 0) === 0 ? 'ok' : 'error'][type].inc()
      }
    },
    socketOpened() {
      sockets.inc()
      return () => sockets.dec()
    },
  }
}
