// Measures the history of an entry with many revisions, compared with that of an entry with few: the store alone, in this process,
// alternating.
import { entryOf, idOf } from '../entries.mjs'
import { commitRequest, openHistory, sealed } from '../registries.mjs'
import { median } from '../statistics.mjs'

const TIMES = 150
const AT_ONCE = 1_000
const FEW = 10

export async function open({ revisions }, { registry, isShort, say }) {
  const history = await openHistory(registry.url)
  const many = isShort ? 5_000 : revisions
  // The two entries differ only in the number of their revisions.
  const ids = { many: idOf(3), few: idOf(5) }
  say(`changing one entry ${many.toLocaleString('en')} times`)
  await change(history, 3, many - 1)
  await change(history, 5, FEW - 1)
  const { revision } = await history.head()
  const first = { limit: FEW, after: null, before: null, fromEnd: false }
  // A position in the middle of the long history.
  const middle = { ...first, after: revision - Math.floor(many / 2) }
  const read = async (name, page) => {
    const id = ids[name]
    const { items } = (await history.entryHistories([id], page)).get(id)
    if (items.length !== FEW) throw new Error(`a page of ${FEW} holds ${items.length}`)
  }
  const questions = { many: { 'newest 10 ms': first, 'in the middle ms': middle }, few: { 'newest 10 ms': first } }
  return {
    async round() {
      const times = { many: { 'newest 10 ms': [], 'in the middle ms': [] }, few: { 'newest 10 ms': [] } }
      for (let i = 0; i < TIMES; i++) {
        for (const [name, pages] of Object.entries(questions)) {
          for (const [figure, page] of Object.entries(pages)) {
            const began = performance.now()
            await read(name, page)
            times[name][figure].push(performance.now() - began)
          }
        }
      }
      const figures = Object.fromEntries(
        Object.entries(times).map(([name, each]) => [
          name,
          Object.fromEntries(Object.entries(each).map(([figure, list]) => [figure, median(list)])),
        ]),
      )
      // Both are compared with the only page of the short history.
      figures.few['in the middle ms'] = figures.few['newest 10 ms']
      return figures
    },
    close: () => history.close(),
  }
}

/** Commits updates of one entry, each a version of its own. */
async function change(history, number, times) {
  const { id, ...content } = entryOf(number)
  for (let done = 0; done < times; done += AT_ONCE) {
    const outcomes = await history.commit(
      Array.from({ length: Math.min(AT_ONCE, times - done) }, (_, i) =>
        commitRequest([
          { kind: 'UPDATE', id, content: sealed({ ...content, meta: { ...content.meta, edited: done + i } }) },
        ]),
      ),
    )
    const refused = outcomes.find(({ type }) => type !== 'applied')
    if (refused !== undefined) throw new Error(`a change was not applied: ${JSON.stringify(refused)}`)
  }
}
