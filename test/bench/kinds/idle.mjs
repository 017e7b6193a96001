// Measures many subscribers while nothing happens: the gateway's memory for each, compared with a socket of `ws` alone, and whether
// Postgres receives queries. One periodic read of the log every 30 s serves all of them.
import { connect } from '../connect.mjs'
import { open as asked, openSetting, sleep } from '../following/setting.mjs'
import { residentMemory } from '../processes.mjs'

const SETTLE_MS = 6_000
const QUIET_MS = 10_000

export async function open({ subscribers: count }, { registry }) {
  const setting = await openSetting(registry, { broadcasts: true, writes: false })
  const sql = connect(registry.url, { max: 1, connection: { application_name: 'bench' } })
  const { subscribers, followed, raw } = setting
  async function kept({ pid }, options) {
    // Open a few first, so that one-time allocations are not counted.
    await subscribers.do('open', { ...options, count: 200 })
    await subscribers.do('close')
    await sleep(1_000)
    const before = residentMemory(pid)
    await subscribers.do('open', { ...options, count, gently: true })
    await sleep(SETTLE_MS)
    return ((residentMemory(pid) - before) * 1_024) / count
  }
  return {
    async round() {
      const theirs = await kept(raw, { port: raw.port, path: '/', raw: true })
      await subscribers.do('close')
      const ours = await kept(followed, asked(followed.port))
      const [{ since }] = await sql`SELECT clock_timestamp()::text AS since`
      await sleep(QUIET_MS)
      const [{ asking }] = await sql`
        SELECT count(*)::int AS asking FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND query_start > ${since}::timestamptz`
      await subscribers.do('close')
      await sleep(500)
      return { cadastre: { 'KB each': ours, 'connections that asked in 10 s': asking }, ws: { 'KB each': theirs } }
    },
    async close() {
      await sql.end()
      await setting.close()
    },
  }
}
