// Measures what looking through a request costs, as a part of parsing it: `npm run build && node test/bench/json-scan.mjs`.
// Both read the same text alternately, in rounds, and the fastest round of each counts, because others use the machine too.

import { mayHoldInexactNumber } from '../../dist/core/entry/inexact-numbers.js'
import { requestBounds } from '../../dist/server/json/json-bounds.js'
import { JsonCounter } from '../../dist/server/json/json-counter.js'
import { mayHoldInexactNumberInSlices, scanJson } from '../../dist/server/json/scan-json.js'

const ROUNDS = Number(process.argv[2] ?? 25)
/** Longer texts are parsed in pieces. */
const LONG = 128 * 1024
const BOUNDS = requestBounds(100_000)
const QUERY =
  'mutation Apply($input: ApplyChangesetInput!) { applyChangeset(input: $input) { ... on Applied { version { number } } } }'
const NOTE = 'The quick brown fox jumps over the lazy dog'
const DIGEST = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'

const plain = (i) => ({ host: `10.0.0.${i % 255}`, port: 8_080 + i, ratio: 0.25 * i, enabled: true, note: NOTE })
const contents = {
  'usual entries': plain,
  'with a hash': (i) => ({ ...plain(i), digest: DIGEST }),
  'lists of decimals': (i) => Array.from({ length: 24 }, (_, at) => Math.sin(i + at)),
}
const body = (data, operations) =>
  JSON.stringify({
    query: QUERY,
    variables: {
      input: {
        operations: Array.from({ length: operations }, (_, i) => ({
          create: {
            id: `shop:service-${i}`,
            kind: 'service.http',
            meta: { team: 'checkout', tier: i % 3, depends_on: [`shop:db-${i % 10}`] },
            data: data(i),
          },
        })),
      },
    },
  })

function counted(text) {
  const counter = new JsonCounter(text)
  while (counter.read(1024 * 1024));
  return counter.values
}

async function fastest(works, times) {
  const best = works.map(() => Infinity)
  for (let round = 0; round < ROUNDS; round++) {
    for (const [at, work] of works.entries()) {
      const begun = performance.now()
      for (let i = 0; i < times; i++) {
        const result = work()
        if (result instanceof Promise) await result
      }
      best[at] = Math.min(best[at], (performance.now() - begun) / times)
    }
  }
  return best
}

console.log(
  '| body | bytes | parse | look | look, of parse | counting, of parse | look and parse in pieces, of parse |',
)
for (const [name, data] of Object.entries(contents)) {
  for (const operations of [1, 80, 8_000, 100_000]) {
    // As a body arrives: flat, and one byte for each character.
    const text = Buffer.from(body(data, operations)).toString('latin1')
    const works = [
      () => JSON.parse(text),
      // A short text is looked through for numbers while it is parsed.
      () => {
        const scanned = scanJson(text, BOUNDS)
        return scanned instanceof Promise ? scanned : (scanned.mayHoldInexactNumber ?? mayHoldInexactNumber(text))
      },
      () => counted(text),
      // Long texts are also parsed in pieces, so that others are answered meanwhile.
      () => (text.length > LONG ? mayHoldInexactNumberInSlices(text, BOUNDS) : undefined),
    ]
    const times = Math.max(1, Math.round(300_000 / text.length))
    const [parse, scan, count, looked] = await fastest(works, times)
    const isLong = text.length > LONG
    const scanTime = isLong ? looked : scan
    const share = (ms) => `${((100 * ms) / parse).toFixed(1)} %`
    console.log(
      `| ${name} | ${text.length} | ${(parse * 1000).toFixed(1)} µs | ${(scanTime * 1000).toFixed(1)} µs | ${share(scanTime)} | ${share(count)} | ${isLong ? share(scan) : '-'} |`,
    )
  }
}
