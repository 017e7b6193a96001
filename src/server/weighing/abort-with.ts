import { cancelled } from '../../graphql/loading/heavy-work.js'

/**
 * Aborts the execution together with a caller's signal. The reason is an error for callers, because work that stops
 * throws it, and any other would be logged as unexpected. Returns a function that unlinks the two.
 */
export function abortWith(signal: AbortSignal, execution: AbortController): () => void {
  const abort = () => execution.abort(cancelled())
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort, { once: true })
  return () => signal.removeEventListener('abort', abort)
}
