import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BACKENDS_WITH_HISTORY, startTestGateway, type TestGateway } from './gateway-fixture.js'

/*
 * A model of the registry in plain maps and lists, written from the specification. The test compares it with a running
 * gateway over random changesets, rollbacks, compactions, fences and invalid requests.
 */

interface Held {
  kind: string
  data: number
  revision: number
  version: number
}
type State = Map<string, Held>
interface Op {
  type: 'create' | 'update' | 'delete'
  id: string
  kind: string
  data: number
  ifRevision: number | null
}
interface Changeset {
  ops: Op[]
  baseAgo: number | null
  expects: 'head' | 'other' | null
}
type Step = { apply: Changeset } | { moveTo: number } | { keepSince: number }

/** A version that does not exist. */
const NOWHERE = 1e9
const IDS = ['m:a', 'm:b', 'm:c', 'n:a', 'bad id']
const op: fc.Arbitrary<Op> = fc.record({
  type: fc.constantFrom('create', 'create', 'update', 'delete'),
  id: fc.constantFrom('m:a', 'm:a', 'm:b', 'm:b', 'm:c', 'm:c', 'n:a', 'n:a', 'bad id'),
  kind: fc.constantFrom('k', 'k', 'k', 'l'),
  data: fc.nat(3),
  ifRevision: fc.oneof({ weight: 6, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat(12) }),
})
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      apply: fc.record({
        ops: fc.array(op, { minLength: 0, maxLength: 4 }),
        baseAgo: fc.oneof(
          { weight: 4, arbitrary: fc.constant(null) },
          { weight: 1, arbitrary: fc.integer({ min: -1, max: 3 }) },
        ),
        expects: fc.constantFrom(null, null, null, null, null, null, 'head', 'other'),
      }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ moveTo: fc.nat(12) }) },
  { weight: 2, arbitrary: fc.record({ keepSince: fc.nat(3) }) },
)

class Model {
  states: State[] = [new Map()]
  heads = [0]
  /** The revision at which each version first became the head. */
  versions = [0]
  changed = new Map<string, number>()
  history = new Map<string, Held[]>()
  oldest = 0

  get revision() {
    return this.states.length - 1
  }
  get head() {
    return this.heads.at(-1)!
  }
  get state() {
    return this.states.at(-1)!
  }

  problems({ ops }: Changeset, base: number | null, expectedHead: number | null): string[] {
    const found: string[] = []
    if (ops.length === 0) found.push('EMPTY_CHANGESET')
    if (expectedHead !== null && expectedHead !== this.head) found.push('HEAD_MOVED')
    const baseIsKnown = base !== null && base >= 0 && base <= this.revision
    if (base !== null && !baseIsKnown) found.push('REVISION_NOT_FOUND')
    if (baseIsKnown && base < this.oldest) found.push('COMPACTED')
    ops.forEach(({ type, id, kind, ifRevision }, i) => {
      const say = (code: string) => found.push(`${code}@${i}`)
      if (id === 'bad id') return say('INVALID_ENTRY')
      const changed = this.changed.get(id) ?? 0
      const isForgotten = !this.state.has(id) && changed < this.oldest
      if (baseIsKnown && !isForgotten && changed > base) return say('CONFLICT')
      const same = ops.filter((other) => other.id === id)
      const replaces =
        same.length === 2 && same.some((each) => each.type === 'delete') && same.some((each) => each.type === 'create')
      if (!replaces && ops.findIndex((other) => other.id === id) !== i) return say('DUPLICATE_OPERATION')
      const current = this.state.get(id)
      if (type === 'create') return current !== undefined && !replaces ? say('ENTRY_EXISTS') : undefined
      if (current === undefined) return say('ENTRY_NOT_FOUND')
      if (ifRevision !== null && ifRevision !== current.revision) say('CONFLICT')
      if (type === 'update' && kind !== current.kind) say('KIND_MISMATCH')
    })
    return found.sort()
  }

  #move(next: State, version: number): void {
    for (const id of IDS) {
      const [before, after] = [this.state.get(id), next.get(id)]
      if (before === after) continue
      this.changed.set(id, this.revision + 1)
      if (after !== undefined) this.history.set(id, [after, ...(this.history.get(id) ?? [])])
    }
    this.states.push(next)
    this.heads.push(version)
  }

  apply({ ops }: Changeset): void {
    const next: State = new Map(this.state)
    const [revision, version] = [this.revision + 1, this.versions.length]
    for (const { type, id } of ops) if (type === 'delete') next.delete(id)
    for (const { type, id, kind, data } of ops) if (type !== 'delete') next.set(id, { kind, data, revision, version })
    this.versions.push(revision)
    this.#move(next, version)
  }

  canMoveTo(version: number): boolean {
    return version === 0 || version === this.head || this.versions[version]! >= this.oldest
  }

  /** The contents of an entry, newest first: its content in the baseline and all later ones. */
  historyOf(id: string): Held[] {
    const first = this.oldest === 0 ? undefined : this.states[this.oldest - 1]!.get(id)
    return [
      ...(this.history.get(id) ?? []).filter(({ revision }) => revision >= this.oldest),
      ...(first === undefined ? [] : [first]),
    ]
  }

  moveTo(version: number): void {
    const revision = this.revision + 1
    const next: State = new Map()
    for (const [id, held] of this.states[this.versions[version]!]!) {
      const now = this.state.get(id)
      next.set(id, now !== undefined && now.kind === held.kind && now.data === held.data ? now : { ...held, revision })
    }
    this.#move(next, version)
  }
}

const plain = (state: State) => [...state].map(([id, held]) => ({ id, ...held })).sort((a, b) => (a.id < b.id ? -1 : 1))

describe.each(BACKENDS_WITH_HISTORY)('a gateway over %s', (backend) => {
  let gateway: TestGateway
  let run = 0
  beforeAll(async () => {
    gateway = await startTestGateway(backend)
  })
  afterAll(() => gateway.close())

  it('agrees with the model after every random request', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
        // A new registry for each run would take a second. A rollback to v0 and new ids are enough.
        const tag = `r${++run}.`
        await gateway.moveTo(0)
        const start = await gateway.data('{ snapshot { revision } versions(last: 1) { nodes { number } } }')
        const [revision0, version0] = [start.snapshot.revision as number, start.versions.nodes[0].number as number]
        const model = new Model()
        const versionOf = (version: number) => (version === 0 ? 0 : version + version0)
        const idOf = (id: string) => (id === 'bad id' ? id : tag + id)
        for (const each of steps) {
          if ('moveTo' in each) {
            const version = each.moveTo % model.versions.length
            const moved = await gateway.applyVersion({ version: versionOf(version) })
            if (!model.canMoveTo(version)) {
              expect(moved.problems.map(({ code }: any) => code)).toEqual(['COMPACTED'])
              continue
            }
            expect(moved.__typename).toBe('Applied')
            expect(moved.transition === null).toBe(version === model.head)
            if (version !== model.head) model.moveTo(version)
            continue
          }
          if ('keepSince' in each) {
            const before = Math.max(0, model.revision - each.keepSince)
            model.oldest = Math.max(model.oldest, before)
            const { compact } = await gateway.data(
              `mutation { compact(before: ${before + revision0}) { oldestRevision } }`,
            )
            expect(compact.oldestRevision).toBe(model.oldest + revision0)
            continue
          }
          const changeset = each.apply
          const base = changeset.baseAgo === null ? null : model.revision - changeset.baseAgo
          const expectedHead = changeset.expects === null ? null : changeset.expects === 'head' ? model.head : NOWHERE
          const operations = changeset.ops.map(({ type, id, kind, data, ifRevision }) => {
            const fence = ifRevision === null ? {} : { ifRevision: ifRevision + revision0 }
            if (type === 'delete') return { delete: { id: idOf(id), ...fence } }
            return { [type]: { id: idOf(id), kind, data, ...(type === 'update' && fence) } }
          })
          const known = base === null || base < 0 ? base : base + revision0
          const expected = model.problems(changeset, base, expectedHead)
          const input = {
            operations,
            base: known,
            expectedHead: expectedHead === null || expectedHead === NOWHERE ? expectedHead : versionOf(expectedHead),
          }
          for (const dryRun of [true, false]) {
            const result = await gateway.applyChangeset({ ...input, dryRun })
            const codes = (result.problems ?? [])
              .map(({ code, operation }: any) => (operation === null ? code : `${code}@${operation}`))
              .sort()
            expect(codes, JSON.stringify(input)).toEqual(expected)
            if (codes.length === 0 && !dryRun) {
              model.apply(changeset)
              expect([result.version.number, result.transition.revision]).toEqual([
                versionOf(model.head),
                model.revision + revision0,
              ])
            }
          }
        }
        for (let version = 0; version < model.versions.length; version++) {
          const moved = await gateway.applyVersion({ version: versionOf(version), dryRun: true })
          expect(moved.problems?.map(({ code }: any) => code) ?? [], `v${version}`).toEqual(
            model.canMoveTo(version) ? [] : ['COMPACTED'],
          )
        }
        const fields = 'entryId kind data revision version { number }'
        const shown = ({ entryId, kind, data, revision, version }: any): object => ({
          id: entryId.slice(tag.length),
          kind,
          data,
          revision: revision - revision0,
          version: version.number - version0,
        })
        const readable = Array.from({ length: model.revision + 1 }, (_, r) => r).slice(model.oldest)
        const all = readable.map(
          (r) =>
            `s${r}: snapshot(at: {revision: ${r + revision0}}) { version { number } entries { nodes { ${fields} } } }`,
        )
        const snapshots = await gateway.data(`{ ${all.join(' ')} entries { revision nodes { ${fields} } } }`)
        for (const [r, state] of model.states.entries()) {
          if (r < model.oldest) continue
          expect(snapshots[`s${r}`].version.number).toBe(versionOf(model.heads[r]!))
          expect(snapshots[`s${r}`].entries.nodes.map(shown)).toEqual(plain(state))
        }
        expect(snapshots.entries.nodes.map(shown)).toEqual(plain(model.state))
        for (const [id] of model.state) {
          const { entry } = await gateway.data(
            `query ($id: EntryID!) { entry(id: $id) { history { totalCount nodes { ${fields} } } } }`,
            { id: idOf(id) },
          )
          expect(entry.history.nodes.map(shown)).toEqual(model.historyOf(id).map((held) => ({ id, ...held })))
          expect(entry.history.totalCount).toBe(model.historyOf(id).length)
        }
        for (let i = 0; i < 4; i++) {
          const place = (thirds: number) => model.oldest + Math.floor(((model.revision - model.oldest) * thirds) / 3)
          const [from, to] = [place(i), place(3 - i)]
          const { delta } = await gateway.data(
            `{ delta(from: {revision: ${from + revision0}}, to: {revision: ${to + revision0}}) { operations { kind entryId entry { kind data } } } }`,
          )
          const folded = new Map([...model.states[from]!].map(([id, { kind, data }]) => [id, { kind, data }]))
          for (const { kind, entryId, entry } of delta.operations) {
            if (kind === 'DELETE') folded.delete(entryId.slice(tag.length))
            else folded.set(entryId.slice(tag.length), entry)
          }
          const bare = (state: Map<string, { kind: string; data: number }>) =>
            Object.fromEntries([...state].map(([id, { kind, data }]) => [id, { kind, data }]))
          expect(bare(folded)).toEqual(bare(model.states[to]!))
        }
      }),
      { numRuns: 25 },
    )
  }, 300_000)
})
