// Measures the gateway's CPU for each frame that it delivers to many subscribers while another gateway is written to at a fixed rate,
// compared with `ws` alone, which sends frames of the same size to as many at the same rate. With several filters each changeset
// has an entry for every filter, so that every subscriber receives something. `sparse` has an entry for one filter at a time.
import { open as asked, cpuOf, openSetting, paced, sleep } from '../following/setting.mjs'

/** V8 compiles the code for each change after about a thousand changes. With few deliveries per change, this code takes most of the time. */
const SPARSE_WARM_UP_MS = 10_000

export async function open({ subscribers: count, filters, sparse = false }, { registry, ms, warmUpMs }) {
  const setting = await openSetting(registry, { broadcasts: true })
  const { subscribers, followed, raw } = setting
  const rate = sparse ? 100 : undefined
  const names = Array.from({ length: filters }, (_, i) => `f${i}`)
  const variables = filters === 1 ? [{}] : names.map((ns) => ({ where: { ns: { eq: ns } } }))
  let turn = 0

  /** Runs `once` to warm up, and then measures it. */
  async function measured({ pid }, once) {
    await paced(sparse ? Math.max(SPARSE_WARM_UP_MS, warmUpMs) : warmUpMs, once, rate)
    await subscribers.do('quiet')
    await subscribers.do('reset')
    const began = cpuOf(pid)
    const sent = await paced(ms, once, rate)
    await subscribers.do('quiet')
    const cpu = cpuOf(pid) - began
    const { frames, bytes } = await subscribers.do('counted')
    const { p50, p99 } = await subscribers.do('latencies', { sent })
    await subscribers.do('close')
    return {
      figures: { cpu: (cpu * 1_000) / frames, p50, p99, 'bytes each': bytes / frames },
      each: frames / Object.keys(sent).length,
      bytes: Math.round(bytes / frames),
    }
  }

  return {
    async round() {
      await subscribers.do('open', asked(followed.port, { count, variables }))
      const ours = await measured(followed, () =>
        setting.write(sparse ? [setting.create(names[turn++ % filters])] : names.map((ns) => setting.create(ns))),
      )
      await subscribers.do('open', { port: raw.port, path: '/', count: Math.round(ours.each), raw: true })
      let number = 0
      const theirs = await measured(raw, async () => {
        const text = `{"revision":${++number},"text":"`
        const frame = `${text}${'x'.repeat(Math.max(0, ours.bytes - text.length - 2))}"}`
        const sent = number
        await setting.broadcast(frame)
        return sent
      })
      await sleep(200)
      return { cadastre: ours.figures, ws: theirs.figures }
    },
    close: setting.close,
  }
}
