/** Silence for longer looks like a command that hangs. */
const EVERY_MS = 3_000

/**
 * Says on standard error what is done: at once, every three seconds while it lasts, and how long it took.
 * @template T
 * @param {string} what for example "Building the server"
 * @param {() => T | Promise<T>} work
 * @param {number} everyMs
 * @returns {Promise<T>}
 */
export async function withProgress(what, work, everyMs = EVERY_MS) {
  const begun = performance.now()
  const seconds = () => Math.round((performance.now() - begun) / 1_000)
  process.stderr.write(`${what} …\n`)
  const timer = setInterval(() => process.stderr.write(`${what} … ${seconds()} s\n`), everyMs).unref()
  try {
    const result = await work()
    if (performance.now() - begun > everyMs) process.stderr.write(`${what}: done after ${seconds()} s\n`)
    return result
  } finally {
    clearInterval(timer)
  }
}
