// Very many come back at one instant with cursors that many versions are behind: from one place (`places` is 1), or spread over so
// many. Until the last of them has come to the head; what each is sent is counted.
import { cpuOf, cursors, now, open as asked, openSetting, sleep } from '../following/setting.mjs'
import { residentMemory } from '../processes.mjs'

const QUERY = 'subscription ($after: String) { changes(after: $after) { cursor revision synced changes { kind entryId } } }'

export async function open({ subscribers: count, versions, places = 1 }, { registry }) {
  const setting = await openSetting(registry)
  const { subscribers, followed } = setting
  const [begin] = await cursors(followed.port)
  const revisions = await Promise.all(Array.from({ length: versions }, () => setting.write([setting.create()])))
  const head = Math.max(...revisions)
  const after = [begin, ...await cursors(followed.port, begin, head)]
  const step = versions / places
  const from = Array.from({ length: places }, (_, i) => Math.floor(i * step))
  const expected = Array.from({ length: count }, (_, i) => versions - from[i % places]).reduce((sum, each) => sum + each, 0)
  return {
    async round() {
      const before = residentMemory(followed.pid)
      const cpu = cpuOf(followed.pid)
      let most = 0
      const watching = setInterval(() => { most = Math.max(most, residentMemory(followed.pid) - before) }, 50)
      const began = now()
      await subscribers.do('open', asked(followed.port, { count, queries: [QUERY], variables: from.map((i) => ({ after: after[i] })), keepTimes: false }))
      const { at } = await subscribers.do('reached', { revision: head, ms: 120_000 })
      clearInterval(watching)
      const { frames, gaps } = await subscribers.do('counted')
      const taken = cpuOf(followed.pid) - cpu
      await subscribers.do('close')
      await sleep(1_000)
      return { cadastre: { s: (at - began) / 1_000, lost: expected - frames, gaps, 'frames a second': frames / ((at - began) / 1_000), 'server CPU s': taken / 1_000, 'MB more': most } }
    },
    close: setting.close,
  }
}
