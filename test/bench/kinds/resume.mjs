// Measures many subscribers that reconnect at once with cursors many versions behind: from one place (`places` is 1) or from
// several. It waits until the last one has reached the head, and counts what each receives.
import { entryOf } from '../entries.mjs'
import { open as asked, cpuOf, cursors, now, openSetting, sleep } from '../following/setting.mjs'
import { residentMemory } from '../processes.mjs'
import { commitRequest, openHistory, sealed } from '../registries.mjs'

const AT_ONCE = 500
/** Counts the openings, so that several over one registry create different entries. */
let openings = 0
const QUERY =
  'subscription ($after: String) { changes(after: $after) { cursor revision synced changes { kind entryId } } }'

export async function open({ subscribers: count, versions, places = 1 }, { registry }) {
  const setting = await openSetting(registry, { writes: false })
  const { subscribers, followed } = setting
  const [begin] = await cursors(followed.port)
  const head = await makeVersions(registry.url, versions)
  const after = [begin, ...(await cursors(followed.port, begin, head))]
  const step = versions / places
  const from = Array.from({ length: places }, (_, i) => Math.floor(i * step))
  const expected = Array.from({ length: count }, (_, i) => versions - from[i % places]).reduce(
    (sum, each) => sum + each,
    0,
  )
  return {
    async round() {
      const before = residentMemory(followed.pid)
      const cpu = cpuOf(followed.pid)
      let most = 0
      const watching = setInterval(() => {
        most = Math.max(most, residentMemory(followed.pid) - before)
      }, 50)
      const began = now()
      await subscribers.do(
        'open',
        asked(followed.port, {
          count,
          queries: [QUERY],
          variables: from.map((i) => ({ after: after[i] })),
          keepTimes: false,
        }),
      )
      const { at } = await subscribers.do('reached', { revision: head, ms: 120_000 })
      clearInterval(watching)
      const { frames, gaps } = await subscribers.do('counted')
      const taken = cpuOf(followed.pid) - cpu
      await subscribers.do('close')
      await sleep(1_000)
      return {
        cadastre: {
          s: (at - began) / 1_000,
          lost: expected - frames,
          gaps,
          'frames a second': frames / ((at - began) / 1_000),
          'server CPU s': taken / 1_000,
          'MB more': most,
        },
      }
    },
    close: setting.close,
  }
}

/** Commits changesets of one operation through the store itself. Returns the revision of the last. */
async function makeVersions(url, count) {
  const history = await openHistory(url)
  const opening = openings++
  try {
    for (let from = 0; from < count; from += AT_ONCE) {
      const numbers = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, i) => from + i)
      await history.commit(
        numbers.map((n) =>
          commitRequest([{ kind: 'CREATE', id: `resume:o${opening}n${n}`, content: sealed(entryOf(n)) }]),
        ),
      )
    }
    return (await history.head()).revision
  } finally {
    await history.close()
  }
}
