/** Aborts the execution together with a caller's signal. Returns a function that unlinks the two. */
export function abortWith(signal: AbortSignal, execution: AbortController): () => void {
  const abort = () => execution.abort(signal.reason)
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort, { once: true })
  return () => signal.removeEventListener('abort', abort)
}
