// Measures the time from a write at one gateway until a subscriber of another gateway receives it, one write at a time: from the write's
// answer (when it is known to be committed) and from its sending. It is compared with a NOTIFY alone, and with a NOTIFY in a
// transaction that writes a row, as every write does.
import { connect } from '../connect.mjs'
import { open as asked, now, openSetting, sleep } from '../following/setting.mjs'

const TIMES = 200
/** Warm-up: V8 compiles the code for each write after about a thousand writes. */
const FIRST_MS = 3_000
const FIRST_WRITERS = 16

export async function open(_workload, { registry }) {
  const setting = await openSetting(registry)
  const { subscribers, followed } = setting
  const sql = connect(registry.url, { max: 1 })
  const listener = connect(registry.url, { max: 1 })
  let onNotify = () => undefined
  await listener.listen('bench', () => onNotify(now()))
  await sql`CREATE TABLE IF NOT EXISTS bench_note (n int)`
  await subscribers.do('open', asked(followed.port, { count: 1 }))
  const until = now() + FIRST_MS
  await Promise.all(
    Array.from({ length: FIRST_WRITERS }, async () => {
      while (now() < until) await setting.write([setting.create()])
    }),
  )
  await subscribers.do('quiet')
  await subscribers.do('close')
  const summaryOf = (times) => {
    const sorted = Float64Array.from(times).sort()
    return { p50: sorted[sorted.length >> 1], p99: sorted[Math.floor(sorted.length * 0.99)] }
  }
  async function notified(send) {
    const times = []
    for (let i = 0; i < TIMES; i++) {
      const came = new Promise((resolve) => {
        onNotify = resolve
      })
      const at = now()
      await send()
      times.push((await came) - at)
      await sleep(5)
    }
    return summaryOf(times)
  }
  return {
    async round() {
      const bare = await notified(() => sql`SELECT pg_notify('bench', '')`)
      const committed = await notified(() =>
        sql.begin((t) => [t`INSERT INTO bench_note VALUES (1)`, t`SELECT pg_notify('bench', '')`]),
      )
      await subscribers.do('open', asked(followed.port, { count: 1 }))
      const sent = {}
      const answered = {}
      for (let i = 0; i < TIMES; i++) {
        const at = now()
        const revision = await setting.write([setting.create()])
        sent[revision] = at
        answered[revision] = now()
        await sleep(5)
      }
      await sleep(300)
      const whole = await subscribers.do('latencies', { sent })
      const after = await subscribers.do('latencies', { sent: answered })
      await subscribers.do('close')
      return {
        'from its answer': { p50: after.p50, p99: after.p99 },
        'from its sending': { p50: whole.p50, p99: whole.p99 },
        notify: bare,
        'notify with a row': committed,
      }
    },
    async close() {
      await Promise.all([sql.end(), listener.end()])
      await setting.close()
    },
  }
}
