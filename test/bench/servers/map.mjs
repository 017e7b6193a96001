import { createServer } from 'node:http'
import { entryOf } from '../entries.mjs'
import { listen, plainAnswers } from './shared.mjs'

const entries = new Map()
for (let i = 0; i < Number(process.env.SIZE); i++) {
  const entry = entryOf(i)
  entries.set(entry.id, entry)
}
const ids = [...entries.keys()].sort()
const places = new Map(ids.map((id, place) => [id, place]))

listen(
  createServer(
    plainAnswers({
      entry: (id) => entries.get(id) ?? null,
      page: (after) => ids.slice(places.get(after) + 1, places.get(after) + 101).map((id) => entries.get(id)),
      nodes: (wanted) => wanted.map((id) => entries.get(id) ?? null),
    }),
  ),
)
