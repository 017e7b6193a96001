import type { History } from '../../store/contract/history.js'

/** An answer to a health check of an orchestrator. */
export interface Health {
  readonly isHealthy: boolean
  readonly text: string
}

/** The process is alive. */
export function liveness(): Health {
  return { isHealthy: true, text: 'alive\n' }
}

/** The gateway can serve: the store answers, and the gateway is not stopping. */
export async function readiness(history: Pick<History, 'isReady'>, stopping: AbortSignal): Promise<Health> {
  if (stopping.aborted) return { isHealthy: false, text: 'stopping\n' }
  const isHealthy = await history.isReady()
  return { isHealthy, text: isHealthy ? 'ready\n' : 'the store does not answer\n' }
}
