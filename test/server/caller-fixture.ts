import type { FastCaller } from '../../src/server/fast-path/fast-path.js'
import type { Caller } from '../../src/server/pipeline/operation-request.js'

/** A caller without a name, whose signal aborts when it goes away. */
export function callerOf(signal: AbortSignal = new AbortController().signal, group = 'somebody'): Caller {
  const connection = {}
  return { author: null, signal, client: () => ({ group, connection }) }
}

/** The same for the fast path. */
export function fastCallerOf(signal?: AbortSignal, group?: string): FastCaller {
  const caller = callerOf(signal, group)
  return { ...caller, signal: () => caller.signal }
}
