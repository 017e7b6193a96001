import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { gatewayProcesses } from '../process/gateway-process.js'
import { type OpenStream, openStream, TRANSPORTS } from './following-stream.js'
import { type Client, clientOf, create, remove, startTestGateway, type TestGateway, update } from './gateway-fixture.js'

const PROPOSALS = `subscription ($participant: String!, $kinds: [String!], $onFailure: OnFailure) {
  proposals(participant: $participant, kinds: $kinds, onFailure: $onFailure) {
    id transaction kind entryId entry { kind meta data } original { kind data } awaitsAnswer deadline
  }
}`
const EVENTS = `subscription ($system: String, $kind: String, $path: String) {
  events(system: $system, kind: $kind, path: $path) {
    __typename system kind path at
    ... on TransactionEvent { transaction operationCount revision error }
    ... on EntryEvent { transaction entryId entry { data } original { data } participant reason }
    ... on MissedEvents { count }
  }
}`
const ANSWER = 'mutation ($input: AnswerProposalInput!) { answerProposal(input: $input) { proposal counted } }'
const APPLY = `mutation ($input: ApplyChangesetInput!) { applyChangeset(input: $input) {
  __typename ... on Refused { problems { code participant message operation } } ... on Applied { dryRun transition { revision } } } }`

async function proposalOf(stream: OpenStream, ms?: number): Promise<any> {
  const result = await stream.next(ms)
  if (result?.data === undefined) throw new Error(`No proposal: ${JSON.stringify(result)}`)
  return result.data.proposals
}

async function eventOf(stream: OpenStream, ms?: number): Promise<any> {
  const result = await stream.next(ms)
  if (result?.data === undefined) throw new Error(`No event: ${JSON.stringify(result)}`)
  return result.data.events
}

/** Reads up to the next proposal that awaits an answer. */
async function offerOf(stream: OpenStream): Promise<any> {
  for (;;) {
    const proposal = await proposalOf(stream)
    if (proposal.awaitsAnswer) return proposal
  }
}

const answer = async (client: Client, proposal: string, accept: boolean, reason?: string): Promise<boolean> =>
  (await client.data(ANSWER, { input: { proposal, accept, reason } })).answerProposal.counted
const apply = async (client: Client, input: object) => (await client.data(APPLY, { input })).applyChangeset

/** Long enough that on a slow machine a participant fails or answers before it times out. */
const PATIENT = 'transactions: { operationSeconds: 200, totalSeconds: 400 }\n'

describe.each(['postgres', 'memory'] as const)('a participant, over %s', (backend) => {
  let first: TestGateway
  let runner: Client
  let third: Client
  let endpoint: string
  let next = 0
  const kind = () => `k${next++}.thing`
  const open: OpenStream[] = []

  interface JoinOptions {
    readonly transport?: 'ws' | 'sse'
    readonly at?: string
    /** The gateway that runs the transactions. */
    readonly asking?: Client
  }

  /**
   * Registers a participant and waits until it is asked. While its registration is on the way, transactions of its
   * kinds pass without it. It therefore also registers for a kind of its own, and dry runs of that kind show when
   * the registration has arrived.
   */
  async function join(
    variables: { participant: string; kinds: string[]; onFailure?: 'PASS' },
    { transport = 'ws', at = endpoint, asking = runner }: JoinOptions = {},
  ): Promise<OpenStream> {
    const probe = kind()
    const stream = openStream(transport, at, PROPOSALS, { ...variables, kinds: [...variables.kinds, probe] })
    open.push(stream)
    const begin = proposalOf(stream)
    let probing: Promise<any>
    let passed: boolean
    do {
      probing = apply(asking, { operations: [create(`${probe}:x`, 1, {}, probe)], dryRun: true })
      passed = await Promise.race([begin.then(() => false), probing.then(() => true)])
    } while (passed)
    const { id } = await offerOf(stream)
    expect(await answer(third, id, true)).toBe(true)
    expect(await probing).toMatchObject({ __typename: 'Applied', dryRun: true })
    // The dry run undoes the operation and ends.
    expect(await proposalOf(stream)).toMatchObject({ kind: 'entry.delete', awaitsAnswer: false })
    expect(await proposalOf(stream)).toMatchObject({ kind: 'registry.discard' })
    return stream
  }

  beforeAll(async () => {
    first = await startTestGateway(backend, PATIENT)
    endpoint = first.endpoint
    // Over memory there is only one gateway.
    runner = backend === 'postgres' ? await first.another() : clientOf(endpoint)
    third = backend === 'postgres' ? await first.another() : clientOf(endpoint)
  })
  afterAll(async () => {
    for (const stream of open) stream.cut()
    await first.close()
  })

  it.each(TRANSPORTS)(
    'is asked over %s at one gateway about a transaction of another, and answers at a third',
    async (transport) => {
      const k = kind()
      const stream = await join({ participant: 'policy', kinds: [`${k}.**`] }, { transport })
      const started = Date.now()
      const writing = apply(runner, { operations: [create(`${k}:x`, { n: [1, null] }, { m: true }, k)] })
      const begin = await proposalOf(stream)
      expect(begin).toMatchObject({
        kind: 'registry.begin',
        entryId: null,
        entry: null,
        awaitsAnswer: false,
        deadline: null,
      })
      const offer = await proposalOf(stream)
      expect(offer).toMatchObject({
        transaction: begin.transaction,
        kind: 'entry.create',
        entryId: `${k}:x`,
        original: null,
        awaitsAnswer: true,
        entry: { kind: k, meta: { m: true }, data: { n: [1, null] } },
      })
      expect(Date.parse(offer.deadline)).toBeGreaterThan(started + 5_000)
      expect(await answer(third, offer.id, true)).toBe(true)
      expect(await writing).toMatchObject({ __typename: 'Applied' })
      expect(await proposalOf(stream)).toMatchObject({ kind: 'registry.commit', transaction: begin.transaction })
      stream.cut()
    },
  )

  it('counts only the first of many concurrent answers', async () => {
    const k = kind()
    const stream = await join({ participant: 'hasty', kinds: [k] })
    const writing = apply(runner, { operations: [create(`${k}:x`, 1, {}, k)] })
    await proposalOf(stream)
    const { id } = await proposalOf(stream)
    const counted = await Promise.all(Array.from({ length: 12 }, (_, i) => answer([third, runner][i % 2]!, id, true)))
    expect(counted.filter(Boolean)).toHaveLength(1)
    expect(await writing).toMatchObject({ __typename: 'Applied' })
    expect(await answer(third, id, false)).toBe(false)
    stream.cut()
  })

  it('reports that an answer to an unknown proposal does not count, and refuses an invalid id', async () => {
    expect(await answer(third, '01234567-89ab-cdef-0123-456789abcdef', true)).toBe(false)
    expect(await third.code(ANSWER, { input: { proposal: 'v7', accept: true } })).toBe('BAD_USER_INPUT')
    expect(
      await third.code(ANSWER, {
        input: { proposal: '01234567-89ab-cdef-0123-456789abcdef', accept: false, reason: 'x'.repeat(5_000) },
      }),
    ).toBe('BAD_USER_INPUT')
  })

  it('rejects with a reason, and operations accepted before are undone', async () => {
    const k = kind()
    const stream = await join({ participant: 'judge', kinds: [k] })
    const writing = apply(runner, { operations: [create(`${k}:a`, 1, {}, k), create(`${k}:b`, 2, {}, k)] })
    await proposalOf(stream)
    expect(await answer(third, (await proposalOf(stream)).id, true)).toBe(true)
    expect(await answer(runner, (await proposalOf(stream)).id, false, 'not in this house')).toBe(true)
    const refused = await writing
    expect(refused).toMatchObject({
      __typename: 'Refused',
      problems: [{ code: 'REJECTED', participant: 'judge', operation: 1 }],
    })
    expect(refused.problems[0].message).toContain('not in this house')
    expect(await proposalOf(stream)).toMatchObject({ kind: 'entry.delete', entryId: `${k}:a`, awaitsAnswer: false })
    expect(await proposalOf(stream)).toMatchObject({ kind: 'registry.discard', awaitsAnswer: false })
    stream.cut()
  })

  it('fails as soon as its connection ends with an open proposal', async () => {
    const k = kind()
    const stream = await join({ participant: 'leaver', kinds: [k] })
    const writing = apply(runner, { operations: [create(`${k}:x`, 1, {}, k)] })
    await proposalOf(stream)
    await proposalOf(stream)
    stream.cut()
    expect(await writing).toMatchObject({
      __typename: 'Refused',
      problems: [{ code: 'PARTICIPANT_FAILED', participant: 'leaver' }],
    })
    // The participant has left.
    expect(await apply(runner, { operations: [create(`${k}:x`, 1, {}, k)] })).toMatchObject({ __typename: 'Applied' })
  })

  it('lets the operation pass if it fails and was registered with onFailure: PASS', async () => {
    const k = kind()
    const stream = await join({ participant: 'bystander', kinds: [k], onFailure: 'PASS' })
    const writing = apply(runner, { operations: [create(`${k}:x`, 1, {}, k)] })
    await proposalOf(stream)
    await proposalOf(stream)
    stream.cut()
    expect(await writing).toMatchObject({ __typename: 'Applied' })
  })

  it('asks the oldest of several clients, and the next one replaces it when it goes', async () => {
    const k = kind()
    const one = await join({ participant: `twins-${k}`, kinds: [k] })
    const two = await join({ participant: `twins-${k}`, kinds: [k] }, { transport: 'sse' })
    const writing = apply(runner, { operations: [create(`${k}:x`, 1, {}, k)] })
    const begin = await proposalOf(one)
    const offer = await proposalOf(one)
    one.cut()
    // The stand-by received nothing before.
    expect(await proposalOf(two)).toMatchObject({ kind: 'registry.begin', transaction: begin.transaction })
    expect(await proposalOf(two)).toEqual(offer)
    expect(await answer(third, offer.id, false, 'not by me')).toBe(true)
    expect(await writing).toMatchObject({
      __typename: 'Refused',
      problems: [{ code: 'REJECTED', message: expect.stringContaining('not by me') as string }],
    })
    expect(await proposalOf(two)).toMatchObject({ kind: 'registry.discard' })
    two.cut()
  })

  it('passes an open proposal along as its clients go one after the other, and the last one decides', async () => {
    const k = kind()
    const clients: OpenStream[] = []
    for (let n = 0; n < 3; n++) clients.push(await join({ participant: `chain-${k}`, kinds: [k] }))
    const writing = apply(runner, { operations: [create(`${k}:a`, 1, {}, k), create(`${k}:b`, 2, {}, k)] })
    const first = await offerOf(clients[0]!)
    expect(await answer(third, first.id, true)).toBe(true)
    const second = await offerOf(clients[0]!)
    for (const [gone, next] of [
      [clients[0]!, clients[1]!],
      [clients[1]!, clients[2]!],
    ] as const) {
      gone.cut()
      // The deadline is that of the first offer: replacing a client wins no time.
      expect(await offerOf(next)).toEqual(second)
    }
    expect(await answer(runner, second.id, false, 'no')).toBe(true)
    expect(await writing).toMatchObject({ problems: [{ code: 'REJECTED', operation: 1 }] })
    // The one that has only seen the end must undo what its predecessor accepted.
    expect(await proposalOf(clients[2]!)).toMatchObject({
      kind: 'entry.delete',
      entryId: `${k}:a`,
      awaitsAnswer: false,
    })
    expect(await proposalOf(clients[2]!)).toMatchObject({ kind: 'registry.discard' })
    clients[2]!.cut()
  })

  it('goes on when its client subscribes again before it ends the old subscription', async () => {
    const k = kind()
    const old = await join({ participant: `again-${k}`, kinds: [k] })
    const writing = apply(runner, { operations: [create(`${k}:x`, 1, {}, k)] })
    const offer = await offerOf(old)
    const renewed = await join({ participant: `again-${k}`, kinds: [k] }, { transport: 'sse' })
    old.cut()
    expect(await offerOf(renewed)).toEqual(offer)
    expect(await answer(third, offer.id, true)).toBe(true)
    expect(await answer(third, offer.id, false, 'too late')).toBe(false)
    expect(await writing).toMatchObject({ __typename: 'Applied' })
    renewed.cut()
  })

  it('rejects by whichever of its clients answers first, at any gateway', async () => {
    const k = kind()
    const active = await join({ participant: `both-${k}`, kinds: [k] })
    const standBy = await join({ participant: `both-${k}`, kinds: [k] })
    for (let n = 0; n < 5; n++) {
      const writing = apply(runner, { operations: [create(`${k}:x${n}`, 1, {}, k)] })
      const { id } = await offerOf(active)
      const [rejected, accepted] = await Promise.all([answer(third, id, false, 'no'), answer(runner, id, true)])
      expect([rejected, accepted].filter(Boolean)).toHaveLength(1)
      expect((await writing).__typename).toBe(rejected ? 'Refused' : 'Applied')
    }
    active.cut()
    standBy.cut()
  })

  it('is not replaced by a client that takes its name', async () => {
    const k = kind()
    const gate = await join({ participant: `gate-${k}`, kinds: [k] })
    const intruder = await join({ participant: `gate-${k}`, kinds: [k], onFailure: 'PASS' })
    for (let n = 0; n < 3; n++) {
      const writing = apply(runner, { operations: [create(`${k}:x${n}`, 1, {}, k)] })
      const { id } = await offerOf(gate)
      expect(await answer(third, id, false, 'closed')).toBe(true)
      expect(await writing).toMatchObject({ problems: [{ code: 'REJECTED' }] })
    }
    gate.cut()
    const writing = apply(runner, { operations: [create(`${k}:y`, 1, {}, k)] })
    const { entryId, id } = await offerOf(intruder)
    expect(entryId).toBe(`${k}:y`)
    await answer(third, id, true)
    expect(await writing).toMatchObject({ __typename: 'Applied' })
    intruder.cut()
  })

  it('rejects even if its client goes right after its answer, and its failure would pass', async () => {
    for (let n = 0; n < 5; n++) {
      const k = kind()
      const stream = await join({ participant: `hasty-${k}`, kinds: [k], onFailure: 'PASS' })
      const writing = apply(runner, { operations: [create(`${k}:x`, 1, {}, k)] })
      const { id } = await offerOf(stream)
      expect(await answer(third, id, false, 'no')).toBe(true)
      stream.cut()
      expect(await writing).toMatchObject({ problems: [{ code: 'REJECTED' }] })
    }
  })

  it('is not asked about other kinds', async () => {
    const k = kind()
    const stream = await join({ participant: 'narrow', kinds: [`${k}.(a|b)`] })
    expect(await apply(runner, { operations: [create(`${k}:x`, 1, {}, `${k}.c`)] })).toMatchObject({
      __typename: 'Applied',
    })
    const writing = apply(runner, {
      operations: [create(`${k}:y`, 1, {}, `${k}.c`), create(`${k}:z`, 1, {}, `${k}.b`)],
    })
    expect(await proposalOf(stream)).toMatchObject({ kind: 'registry.begin' })
    const offer = await proposalOf(stream)
    expect(offer).toMatchObject({ entryId: `${k}:z` })
    await answer(third, offer.id, true)
    expect(await writing).toMatchObject({ __typename: 'Applied' })
    stream.cut()
  })

  it('gets an error if its registration is invalid', async () => {
    const failing = async (variables: object) => {
      const stream = openStream('ws', endpoint, PROPOSALS, variables)
      const result = await stream.next()
      stream.cut()
      return [result?.errors?.[0]?.extensions['code'], result?.errors?.[0]?.message]
    }
    for (const kinds of [[], ['a..b'], ['a', '(b'], Array(101).fill('a')]) {
      expect(await failing({ participant: 'p', kinds }), JSON.stringify(kinds)).toEqual([
        'BAD_USER_INPUT',
        expect.stringContaining('kinds'),
      ])
    }
    for (const participant of ['', ' a', 'a\u0000', 'x'.repeat(256)]) {
      expect(await failing({ participant }), participant).toEqual([
        'BAD_USER_INPUT',
        expect.stringContaining('participant'),
      ])
    }
  })

  describe('the event bus', () => {
    /**
     * Opens a stream of events and waits until it misses nothing: it causes events until one arrives, causes another
     * one, and reads up to the last event of that one.
     * @param cause - Causes events that the stream gets
     * @param isLast - Whether an event is the last one of the n-th call
     */
    async function listen(
      variables: object,
      cause: (n: number) => Promise<unknown>,
      isLast: (event: any, n: number) => boolean,
      transport: 'ws' | 'sse' = 'ws',
    ): Promise<OpenStream> {
      const stream = openStream(transport, endpoint, EVENTS, variables)
      open.push(stream)
      let n = 0
      const arrived = eventOf(stream)
      let hasArrived = false
      do {
        await cause(++n)
        hasArrived = await Promise.race([arrived.then(() => true), sleep(50, false)])
      } while (!hasArrived)
      await cause(++n)
      while (!isLast(await eventOf(stream), n));
      return stream
    }

    it.each(TRANSPORTS)('sends the events of another gateway over %s, in order', async (transport) => {
      const k = kind()
      const probe = kind()
      let last = ''
      const stream = await listen(
        {},
        (n) => apply(runner, { operations: [create(`${probe}:x`, n, {}, probe)], dryRun: true }),
        (event, n) => {
          if (event.entry?.data === n && event.entryId === `${probe}:x`) last = event.transaction
          return event.kind === 'registry.discard' && event.transaction === last
        },
        transport,
      )
      const applied = await apply(runner, { operations: [create(`${k}:x`, { a: 1 }, {}, k)] })
      const begin = await eventOf(stream)
      expect(begin).toMatchObject({
        __typename: 'TransactionEvent',
        system: 'registry',
        kind: 'registry.begin',
        operationCount: 1,
        revision: null,
      })
      expect(begin.path).toBe(begin.transaction)
      expect(await eventOf(stream)).toMatchObject({
        __typename: 'EntryEvent',
        kind: 'entry.create',
        path: `${k}:x`,
        entryId: `${k}:x`,
        transaction: begin.transaction,
        entry: { data: { a: 1 } },
        original: null,
        participant: null,
      })
      expect(await eventOf(stream)).toMatchObject({
        kind: 'registry.commit',
        transaction: begin.transaction,
        revision: applied.transition.revision,
        error: null,
      })
      stream.cut()
    })

    it('filters by patterns, and sends entries of a megabyte', async () => {
      const k = kind()
      const large = 'x'.repeat(900_000)
      // A colon does not end a segment: the segments of the id are "k7" and "thing:x".
      await apply(runner, { operations: [create(`${k}:z`, 0, {}, k)] })
      const exact = await listen(
        { system: '*', kind: 'entry.(update|delete)', path: `${k.split('.')[0]}.(thing:x|thing:z)` },
        (n) => apply(runner, { operations: [update(`${k}:z`, n, {}, k)], dryRun: true }),
        (event, n) => event.entry.data === n,
      )
      await apply(runner, { operations: [create(`${k}:y`, 1, {}, k)] })
      await apply(runner, { operations: [update(`${k}:y`, 2, {}, k)] })
      await apply(runner, { operations: [create(`${k}:x`, 1, {}, k)] })
      await apply(runner, { operations: [update(`${k}:x`, large, {}, k)] })
      await apply(runner, { operations: [remove(`${k}:x`)] })
      expect(await eventOf(exact)).toMatchObject({
        kind: 'entry.update',
        entry: { data: large },
        original: { data: 1 },
      })
      expect(await eventOf(exact)).toMatchObject({ kind: 'entry.delete', entry: null })
      exact.cut()
    })

    it.each(['a..b', '(a', 'a*', ''])('refuses the pattern "%s"', async (pattern) => {
      for (const argument of ['system', 'kind', 'path']) {
        const stream = openStream('ws', endpoint, EVENTS, { [argument]: pattern })
        expect((await stream.next())?.errors?.[0]?.extensions['code']).toBe('BAD_USER_INPUT')
        stream.cut()
      }
    })

    it('sends the answers of participants', async () => {
      const k = kind()
      const judge = await join({ participant: 'loud', kinds: [k] })
      const rejected = async (reason: string) => {
        const writing = apply(runner, { operations: [create(`${k}:x`, 1, {}, k)] })
        await answer(third, (await offerOf(judge)).id, false, reason)
        await writing
      }
      const stream = await listen(
        { kind: 'entry.reject' },
        (n) => rejected(`probe ${n}`),
        ({ reason }, n) => reason === `probe ${n}`,
      )
      await rejected('no')
      expect(await eventOf(stream)).toMatchObject({
        kind: 'entry.reject',
        participant: 'loud',
        reason: 'no',
        entryId: `${k}:x`,
      })
      stream.cut()
      judge.cut()
    })
  })

  it.runIf(backend === 'postgres')(
    'loses nothing when listening connections are cut with open proposals',
    { timeout: 300_000 },
    async () => {
      const k = kind()
      const admin = postgres(first.databaseUrl!, { max: 1 })
      const stream = await join({ participant: 'patient', kinds: [k] })
      const cut = () =>
        admin`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cadastre listener' AND datname = current_database()`
      try {
        for (let i = 0; i < 5; i++) {
          await cut()
          const writing = apply(runner, { operations: [create(`${k}:${i}`, 1, {}, k)] })
          expect(await proposalOf(stream)).toMatchObject({ kind: 'registry.begin' })
          const offer = await proposalOf(stream)
          await cut()
          expect(await answer(third, offer.id, true)).toBe(true)
          expect(await writing).toMatchObject({ __typename: 'Applied' })
          expect(await proposalOf(stream)).toMatchObject({ kind: 'registry.commit' })
        }
      } finally {
        stream.cut()
        await admin.end()
      }
    },
  )

  it.runIf(backend === 'postgres')(
    'fails when its gateway is killed, as soon as the lease of the gateway has expired',
    { timeout: 300_000 },
    async () => {
      const k = kind()
      const processes = await gatewayProcesses()
      try {
        const doomed = await processes.start({ CADASTRE_STORE: 'postgres', DATABASE_URL: first.databaseUrl! })
        const stream = await join({ participant: 'doomed', kinds: [k] }, { at: doomed.endpoint })
        const writing = apply(runner, { operations: [create(`${k}:x`, 1, {}, k)] })
        await proposalOf(stream)
        const { id } = await proposalOf(stream)
        doomed.child.kill('SIGKILL')
        expect(await writing).toMatchObject({
          __typename: 'Refused',
          problems: [{ code: 'PARTICIPANT_FAILED', participant: 'doomed' }],
        })
        expect(await answer(third, id, true)).toBe(false)
        expect(await apply(runner, { operations: [create(`${k}:x`, 1, {}, k)] })).toMatchObject({
          __typename: 'Applied',
        })
      } finally {
        await processes.remove()
      }
    },
  )

  it.runIf(backend === 'postgres')(
    'gets registry.discard when the gateway that runs the transaction is killed',
    { timeout: 300_000 },
    async () => {
      const k = kind()
      const processes = await gatewayProcesses()
      try {
        const doomed = await processes.start({ CADASTRE_STORE: 'postgres', DATABASE_URL: first.databaseUrl! })
        const asking = clientOf(doomed.endpoint)
        const stream = await join({ participant: 'survivor', kinds: [k] }, { asking })
        const writing = apply(asking, { operations: [create(`${k}:x`, 1, {}, k)] }).catch(() => 'cut')
        const { transaction } = await proposalOf(stream)
        const { id } = await proposalOf(stream)
        doomed.child.kill('SIGKILL')
        expect(await writing).toBe('cut')
        const end = await stream.next(200_000)
        expect(end?.data.proposals).toMatchObject({ kind: 'registry.discard', transaction })
        expect(await answer(third, id, true)).toBe(false)
        stream.cut()
      } finally {
        await processes.remove()
      }
    },
  )
})
