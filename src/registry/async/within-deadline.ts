/**
 * What `work` gives, or an error once `ms` have passed: its signal aborts then, and what it does later is nobody's.
 * @throws Error "… took longer than …", or what `work` throws
 */
export async function withinDeadline<Result>(
  ms: number,
  what: string,
  work: (signal: AbortSignal) => Promise<Result> | Result,
): Promise<Result> {
  const ending = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new Error(`${what} took longer than ${ms} ms`)
      reject(error)
      ending.abort(error)
    }, ms)
  })
  try {
    return await Promise.race([Promise.resolve().then(() => work(ending.signal)), late])
  } finally {
    clearTimeout(timer)
  }
}
