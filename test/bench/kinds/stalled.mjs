// Measures subscribers of one operation, some of which stop reading: the delay of the others, compared with a run in which all read;
// the gateway's memory meanwhile, and after enough further changes to exceed every buffer; and whether the stalled subscribers
// receive everything once they read again.
import { open as asked, openSetting, paced, sleep } from '../following/setting.mjs'
import { residentMemory } from '../processes.mjs'

const DATA = 'x'.repeat(4_000)
/** Changes of 4 KB each for every stalled subscriber, far beyond the result buffer. */
const MORE = { rate: 100, ms: 8_000 }

export async function open({ subscribers: count, stalled }, { registry, ms, warmUpMs }) {
  const setting = await openSetting(registry)
  const { subscribers, followed } = setting
  const once = () => setting.write([setting.create('follow', DATA)])

  async function measured(paused) {
    await subscribers.do('open', asked(followed.port, { count }))
    if (paused > 0) await subscribers.do('pause', { from: count - paused })
    await paced(warmUpMs, once)
    await subscribers.do('reset')
    const sent = await paced(ms, once)
    await subscribers.do('reached', { revision: Math.max(...Object.keys(sent).map(Number)), of: count - paused })
    const { p50, p99 } = await subscribers.do('latencies', { sent })
    const figures = { p50, p99 }
    if (paused > 0) {
      const before = residentMemory(followed.pid)
      const more = await paced(MORE.ms, once, MORE.rate)
      await sleep(500)
      figures['MB more after 800 more'] = residentMemory(followed.pid) - before
      await subscribers.do('resume')
      await subscribers.do('reached', { revision: Math.max(...Object.keys(more).map(Number)) })
      figures.gaps = (await subscribers.do('counted')).gaps
    }
    await subscribers.do('close')
    await sleep(500)
    return figures
  }
  return {
    round: async () => ({ unstalled: await measured(0), stalled: await measured(stalled) }),
    close: setting.close,
  }
}
