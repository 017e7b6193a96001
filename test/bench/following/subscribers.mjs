// Runs many subscribers in a process of their own, which receives its tasks over IPC.
import { ThinSocket } from './thin-socket.mjs'

const REVISION = Buffer.from('"revision":')
const NEXT = Buffer.from('"type":"next"')
/** Positions in the last frame. Checking them first costs a tenth of searching, and they rarely move. */
let nextAt = 0
let revisionAt = 0
let subscribers = []
/** Arrivals since the last `reset`: revisions and times. */
const arrivals = { revisions: new Float64Array(4_000_000), times: new Float64Array(4_000_000), count: 0 }

const tasks = {
  /** Opens subscribers with the given queries and variables in rotation. Resolves when each has received its first batch. */
  async open({ port, path, count, queries = [''], variables = [{}], keepTimes = true, gently = false, raw = false }) {
    const ready = []
    let failed
    const failure = new Promise((_, reject) => {
      failed = reject
    })
    // Handled by the races below, which end when all are open.
    failure.catch(() => undefined)
    for (let i = 0; i < count; i++) {
      const subscriber = { frames: 0, bytes: 0, last: -1, gaps: 0 }
      const first = new Promise((resolve) => {
        subscriber.first = resolve
      })
      const fail = (error) => {
        console.error(error.message)
        failed(error)
      }
      subscriber.socket = new ThinSocket(
        port,
        path,
        (bytes, start, end) => {
          if (!raw && !isNext(bytes, start, end)) {
            const text = bytes.toString('utf8', start, end)
            if (text.includes('connection_ack')) {
              subscriber.socket.send({
                id: '1',
                type: 'subscribe',
                payload: { query: queries[i % queries.length], variables: variables[i % variables.length] },
              })
            } else fail(new Error(`a subscriber was sent ${text}`))
            return
          }
          subscriber.frames += 1
          subscriber.bytes += end - start
          let at = revisionIn(bytes, start, end)
          let revision = 0
          for (; bytes[at] >= 48 && bytes[at] <= 57; at++) revision = revision * 10 + bytes[at] - 48
          if (subscriber.frames > 1 && revision !== subscriber.last + 1) subscriber.gaps += 1
          subscriber.last = revision
          if (keepTimes && arrivals.count < arrivals.times.length) {
            arrivals.revisions[arrivals.count] = revision
            arrivals.times[arrivals.count++] = now()
          }
          subscriber.first?.()
          subscriber.first = null
        },
        (why) => fail(new Error(`a subscriber was cut off: ${why}`)),
      )
      subscribers.push(subscriber)
      if (!raw) subscriber.socket.opened.then(() => subscriber.socket.send({ type: 'connection_init' }))
      ready.push(raw ? subscriber.socket.opened : first)
      // Spread over time, because the backlog of listen() is 511.
      if (i % 200 === 199 && gently) await Promise.race([Promise.all(ready), failure])
      else if (i % 100 === 99) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await Promise.race([Promise.all(ready), failure])
  },
  async reset() {
    arrivals.count = 0
    for (const subscriber of subscribers) Object.assign(subscriber, { frames: 0, bytes: 0, gaps: 0 })
  },
  async pause({ from }) {
    for (const { socket } of subscribers.slice(from)) socket.socket.pause()
  },
  async resume() {
    for (const { socket } of subscribers) socket.socket.resume()
  },
  /** Waits until each of the first `of` subscribers has reached a revision. @throws Error if the time is up */
  async reached({ revision, of = subscribers.length, ms = 60_000 }) {
    const began = now()
    while (subscribers.slice(0, of).some(({ last }) => last < revision)) {
      if (now() - began > ms) {
        const left = subscribers.slice(0, of).filter(({ last }) => last < revision)
        throw new Error(`${left.length} are not there after ${ms} ms; the first is at ${left[0].last}`)
      }
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    return { at: now() }
  },
  /** Waits until nothing has arrived for half a second. */
  async quiet() {
    for (let before = -1; ; ) {
      const frames = subscribers.reduce((sum, subscriber) => sum + subscriber.frames, 0)
      if (frames === before) return
      before = frames
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
  },
  async counted() {
    return {
      frames: subscribers.reduce((sum, { frames }) => sum + frames, 0),
      bytes: subscribers.reduce((sum, { bytes }) => sum + bytes, 0),
      gaps: subscribers.reduce((sum, { gaps }) => sum + gaps, 0),
    }
  },
  /** Times from `sent` (by revision) to arrival. */
  async latencies({ sent }) {
    const times = []
    for (let i = 0; i < arrivals.count; i++) {
      const at = sent[arrivals.revisions[i]]
      if (at !== undefined) times.push(arrivals.times[i] - at)
    }
    times.sort((a, b) => a - b)
    return {
      count: times.length,
      p50: times[times.length >> 1],
      p99: times[Math.floor(times.length * 0.99)],
      most: times.at(-1),
    }
  },
  async close() {
    for (const { socket } of subscribers) socket.socket.destroy()
    await Promise.all(subscribers.map(({ socket }) => socket.closed))
    subscribers = []
  },
}

function isNext(bytes, start, end) {
  if (holds(bytes, start + nextAt, NEXT)) return true
  const at = bytes.subarray(start, end).indexOf(NEXT)
  if (at >= 0) nextAt = at
  return at >= 0
}

/** The position at which a frame's revision begins. */
function revisionIn(bytes, start, end) {
  if (!holds(bytes, start + revisionAt, REVISION)) revisionAt = bytes.subarray(start, end).indexOf(REVISION)
  return start + revisionAt + REVISION.length
}

function holds(bytes, at, word) {
  for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word[i]) return false
  return true
}

/** Milliseconds of the machine's monotonic clock, which is the same in every process. */
function now() {
  return Number(process.hrtime.bigint()) / 1e6
}

process.on('message', async ({ id, task, input }) => {
  try {
    process.send({ id, answer: (await tasks[task](input ?? {})) ?? null })
  } catch (error) {
    process.send({ id, error: String(error.stack) })
  }
})
process.on('disconnect', () => process.exit())
process.send('ready')
