import type { ExecutionResult, OperationTypeNode } from 'graphql'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Registry as CadastreRegistry } from '../../registry/registry.js'

/** Numbers of one gateway, for Prometheus. */
export interface Metrics {
  readonly contentType: string
  text(): Promise<string>
  /** Call what is returned with the result when the operation has ended; null where a stream has. */
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
    help: 'GraphQL operations that have ended',
    labelNames: ['type', 'outcome'],
    registers,
  })
  const seconds = new Histogram({
    name: 'cadastre_operation_seconds',
    help: 'How long queries and mutations took',
    labelNames: ['type'],
    registers,
    buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
  })
  /** Found once: to find them by their labels takes as long as to count. */
  const ended = { ok: {} as Outcomes, error: {} as Outcomes }
  const took = {} as Record<OperationTypeNode, Histogram.Internal<'type'>>
  for (const type of ['query', 'mutation', 'subscription'] as OperationTypeNode[]) {
    for (const outcome of ['ok', 'error'] as const) ended[outcome][type] = operations.labels({ type, outcome })
    if (type !== 'subscription') took[type] = seconds.labels({ type })
  }
  const subscriptions = new Gauge({ name: 'cadastre_subscriptions', help: 'Subscriptions that are open', registers })
  const sockets = new Gauge({ name: 'cadastre_websockets', help: 'WebSockets that are open', registers })
  // Read when asked for: the finder keeps its own count.
  new Counter({
    name: 'cadastre_finder_cache_total',
    help: 'Finds and counts looked up in the cache',
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
    help: 'Results that the cache holds',
    registers,
    collect() {
      this.set(finderCache().results)
    },
  })
  new Gauge({
    name: 'cadastre_finder_cache_bytes',
    help: 'What they take, roughly',
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
