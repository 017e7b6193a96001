/**
 * Runs synchronous work and returns the CPU time that the process spent meanwhile, in milliseconds. Unlike wall time,
 * it hardly depends on what else runs on the machine.
 */
export function cpuTime<Result>(work: () => Result): { readonly result: Result; readonly cpuMs: number } {
  const before = process.cpuUsage()
  const result = work()
  const { user, system } = process.cpuUsage(before)
  return { result, cpuMs: (user + system) / 1_000 }
}
