// So many subscribers of one gateway, and what its CPU takes for each frame that it delivers, while another one is written to at a
// pace; beside `ws` alone, which sends frames of the same size to as many at the same pace. With several filters each changeset has
// an entry for every one of them, so that everybody is sent something; `sparse` has one for one of them, in turn.
import { open as asked, cpuOf, openSetting, paced, sleep } from '../following/setting.mjs'

/** What is done for each change is compiled after a thousand of them; where each has few deliveries, that is what is measured. */
const SPARSE_WARM_UP_MS = 10_000

export async function open({ subscribers: count, filters, sparse = false }, { registry, ms, warmUpMs }) {
  const setting = await openSetting(registry, { broadcasts: true })
  const { subscribers, followed, raw } = setting
  const rate = sparse ? 100 : undefined
  const names = Array.from({ length: filters }, (_, i) => `f${i}`)
  const variables = filters === 1 ? [{}] : names.map((ns) => ({ where: { ns: { eq: ns } } }))
  let turn = 0

  /** `once` while it is warm, then measured. */
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
        const told = number
        await setting.broadcast(frame)
        return told
      })
      await sleep(200)
      return { cadastre: ours.figures, ws: theirs.figures }
    },
    close: setting.close,
  }
}
