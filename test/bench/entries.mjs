// Makes the content of the measured registries from a seed, so that every system and every run has the same.
const WORDS =
  'account audit billing cache catalog checkout session export gateway import index invoice ledger mail media order payment policy profile queue report search stock token upload user webhook worker'.split(
    ' ',
  )
const TEAMS = ['core', 'growth', 'identity', 'payments', 'platform', 'search']
/** Kinds with their weight and data, as frequent as in real registries. */
const KINDS = [
  [
    38,
    'function.lua',
    (random, at) => ({
      source: `file://${word(random)}/${word(random)}.lua`,
      method: 'handle',
      modules: some(random, ['json', 'time', 'http', 'sql', 'crypto', 'store'], 3),
      imports: { store: at(), log: at() },
    }),
  ],
  [
    22,
    'library.lua',
    (random) => ({
      source: `file://lib/${word(random)}_${word(random)}.lua`,
      modules: some(random, ['json', 'time', 'hash', 'base64'], 2),
    }),
  ],
  [
    15,
    'http.endpoint',
    (random, at) => ({
      path: `/api/v${1 + int(random, 3)}/${word(random)}s/{id}/${word(random)}`,
      method: ['GET', 'POST', 'PUT', 'DELETE'][int(random, 4)],
      func: at(),
      middleware: ['cors', 'auth'],
      timeout: `${5 + int(random, 55)}s`,
    }),
  ],
  [
    12,
    'registry.entry',
    (random) => ({
      schema: {
        type: 'object',
        required: ['id', word(random)],
        properties: Object.fromEntries(
          some(random, WORDS, 4).map((name) => [name, { type: 'string', maxLength: int(random, 255) }]),
        ),
      },
    }),
  ],
  [
    8,
    'process.lua',
    (random, at) => ({
      source: `file://process/${word(random)}.lua`,
      lifecycle: { auto_start: random() < 0.5, depends_on: [at()] },
      options: { retries: int(random, 7), ratio: random() },
    }),
  ],
  [5, 'template.jet', (random) => ({ source: sentences(random, 8), content_type: 'text/html' })],
]
const WEIGHTS = KINDS.reduce((sum, [weight]) => sum + weight, 0)

/** Numbers in [0, 1) that depend only on the seed (mulberry32). */
export function seeded(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** The id of an entry by its number, in 97 namespaces of different depth. `run` separates entries written during a measurement. */
export function idOf(number, run = '') {
  const group = number % 97
  return `app${run}.${WORDS[group % WORDS.length]}${group > 40 ? `.${TEAMS[group % TEAMS.length]}` : ''}:${WORDS[(number * 7) % WORDS.length]}_${String(number).padStart(7, '0')}`
}

/** `{id, kind, meta, data}`: 350 bytes at the median, 900 at most. It refers to entries with lower numbers. */
export function entryOf(number, run = '') {
  const random = seeded(number * 2_654_435_761 + 17)
  const at = () => idOf(int(random, Math.max(1, Math.min(number, 10_000))), run)
  let chosen = random() * WEIGHTS
  const [, kind, data] = KINDS.find(([weight]) => (chosen -= weight) < 0)
  return {
    id: idOf(number, run),
    kind,
    meta: {
      type: kind.split('.')[0],
      name: `${word(random)} ${word(random)}`,
      comment: sentences(random, 1),
      tags: [`team-${TEAMS[int(random, TEAMS.length)]}`, `t${number % 1_000}`],
      serial: number,
      build: int(random, 10_000),
      version: `${int(random, 4)}.${int(random, 20)}.${int(random, 9)}`,
    },
    data: data(random, at),
  }
}

const int = (random, below) => Math.floor(random() * below)
const word = (random) => WORDS[int(random, WORDS.length)]
const some = (random, list, count) => list.filter(() => random() < count / list.length)
const sentences = (random, count) =>
  Array.from(
    { length: count },
    () => `The ${word(random)} of each ${word(random)} is kept for the ${word(random)} until its ${word(random)} ends.`,
  ).join(' ')
