import { randomUUID } from 'node:crypto'
import { utf8Length } from '../../core/entry/text.js'
import { RegistryError } from '../../core/errors/registry-error.js'
import { compileBusPattern } from '../../core/events/bus-pattern.js'
import type { Exchange, Participation, ProposalAnswer } from '../../store/contract/exchange.js'
import { Inbox } from '../events/inbox.js'
import { parseBusPattern } from '../events/parse-bus-pattern.js'
import {
  LONGEST_REASON,
  type OnFailure,
  type Participant,
  type ParticipantDirectory,
  type Proposal,
} from './participant.js'
import { readProposal, writeProposal } from './proposal-codec.js'

/**
 * @bound Proposals that wait for a participating client. A client that does not read them stops being a participant.
 */
const WAITING_PROPOSALS = 10_000
/** @bound Size of the proposals that wait for a participating client, unless a single one is larger. */
const WAITING_BYTES = 64 * 1024 * 1024
/** @bound Patterns of kinds of one participation. */
const MOST_PATTERNS = 100
/** @bound Length of a participant's name, in bytes. */
const LONGEST_NAME = 255
/** @bound Time for a client's answer to a proposal, whatever the deadlines are set to. */
const LONGEST_ANSWER_MS = 3_600_000
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const NOT_A_NAME = /[\u0000-\u001f\u007f-\u009f\p{Surrogate}]|^\s|\s$|^$/u

/** The name, kinds and deadline with which a client participates. */
export interface ParticipationInput {
  readonly participant: string
  /** Bus patterns of the kinds to take part for. Null takes part for all kinds. */
  readonly kinds: readonly string[] | null
  readonly onFailure: OnFailure
}

/**
 * Directory of the GraphQL clients of all gateways that take part in transactions. Clients with the same name are members of one
 * participant. For each kind the one that joined first is asked. The others stand by, and the next one replaces it when it goes.
 */
export class ClientParticipants implements ParticipantDirectory {
  readonly #answering = new Set<Promise<unknown>>()

  constructor(private readonly exchange: Exchange) {}

  async hasAny(): Promise<boolean> {
    return (await this.exchange.participations()).length > 0
  }

  seemsEmpty(): boolean {
    return this.exchange.seemsWithoutParticipants()
  }

  async forKinds(kinds: readonly string[]): Promise<readonly Participant[]> {
    const members = new Map<string, Participation[]>()
    for (const participation of await this.exchange.participations()) {
      const matches = matcherOf(participation.kinds)
      if (!kinds.some(matches)) continue
      const others = members.get(participation.name)
      if (others === undefined) members.set(participation.name, [participation])
      else others.push(participation)
    }
    return [...members].map(([name, participations]) => this.#participant(name, participations, kinds))
  }

  /**
   * Participates for as long as the stream is read. Resolves when the participation is registered.
   * @throws RegistryError BAD_USER_INPUT, UNAVAILABLE
   */
  async join(
    { participant, kinds, onFailure }: ParticipationInput,
    signal: AbortSignal,
  ): Promise<AsyncIterableIterator<Proposal>> {
    checkName(participant)
    checkKinds(kinds)
    const inbox = new Inbox<Proposal>(signal)
    const leave = await this.exchange.takePart(
      { name: participant, kinds: kinds ?? ['**'], onFailure },
      {
        receive(body) {
          const bytes = 2 * body.length
          if (inbox.size >= WAITING_PROPOSALS || (inbox.size > 0 && inbox.bytes + bytes > WAITING_BYTES)) {
            inbox.fail(
              new RegistryError(
                'UNAVAILABLE',
                'Too many proposals wait to be read. Subscribe again and read them as they arrive.',
              ),
            )
          } else inbox.push(readProposal(body), bytes)
        },
        lost: (error) => inbox.fail(error),
      },
    )
    // If the store is unavailable, the participation ends with this gateway's lease, or when it can be removed.
    // Answers that are in flight come first: a rejection counts even if its client leaves at once.
    const gone = () =>
      void Promise.allSettled([...this.#answering])
        .then(leave)
        .catch(() => {})
    if (inbox.ended.aborted) gone()
    else inbox.ended.addEventListener('abort', gone, { once: true })
    return inbox
  }

  /**
   * Answers a proposal. Returns false if the answer arrived too late, was not the first or is not awaited.
   * @throws RegistryError BAD_USER_INPUT
   */
  async answer(proposal: string, answer: ProposalAnswer): Promise<boolean> {
    if (!UUID.test(proposal))
      throw new RegistryError('BAD_USER_INPUT', 'proposal: this is not the id of a proposal. Send its UUID.')
    if (answer.reason !== null && utf8Length(answer.reason) > LONGEST_REASON) {
      throw new RegistryError('BAD_USER_INPUT', `reason: it has more than ${LONGEST_REASON} bytes.`)
    }
    if (answer.reason?.includes('\u0000') === true)
      throw new RegistryError('BAD_USER_INPUT', 'reason: it contains the character U+0000.')
    const answering = this.exchange.answer(proposal.toLowerCase(), answer)
    this.#answering.add(answering)
    try {
      return await answering
    } finally {
      this.#answering.delete(answering)
    }
  }

  #participant(name: string, members: readonly Participation[], kinds: readonly string[]): Participant {
    const { exchange } = this
    /** The members that take part in this transaction. They receive its end. */
    const active = new Map(kinds.flatMap((kind) => firstFor(kind, members)).map((member) => [member.id, member]))
    const recipients = (proposal: Proposal): string[] => {
      const kind = kindOf(proposal)
      return [...active.values()].filter(({ kinds }) => kind === null || matcherOf(kinds)(kind)).map(({ id }) => id)
    }
    const offerTo = (proposal: Proposal, body: string, alive: readonly Participation[]) => {
      const [next] = firstFor(
        kindOf(proposal)!,
        alive.filter((each) => each.name === name),
      )
      if (next === undefined) return null
      const offer = { recipients: [next.id], body }
      if (active.has(next.id)) return [offer]
      active.set(next.id, next)
      return [{ recipients: [next.id], body: writeProposal(beginOf(proposal)) }, offer]
    }
    return {
      name,
      kinds: [...new Set(members.flatMap(({ kinds }) => kinds))],
      onFailure: members.some(({ onFailure }) => onFailure === 'refuse') ? 'refuse' : 'pass',
      timeoutMs: LONGEST_ANSWER_MS,
      isQueued: true,
      async offer(proposal, signal) {
        const withinMs =
          proposal.deadline === null ? LONGEST_ANSWER_MS : Math.max(1, proposal.deadline.getTime() - Date.now())
        const body = writeProposal(proposal)
        const { accept, reason } = await exchange.offer(
          {
            id: proposal.id,
            recipients: firstFor(kindOf(proposal)!, members).map(({ id }) => id),
            body,
            withinMs,
            reassign: (alive) => offerTo(proposal, body, alive),
          },
          signal,
        )
        return accept ? { accept } : { accept, reason }
      },
      notify: (proposal) => exchange.notify({ recipients: recipients(proposal), body: writeProposal(proposal) }),
    }
  }
}

function kindOf({ entry, original }: Proposal): string | null {
  return (entry ?? original)?.content.kind ?? null
}

/** Returns the oldest member that takes part for a kind, if there is one. */
function firstFor(kind: string, members: readonly Participation[]): Participation[] {
  const first = members.find(({ kinds }) => matcherOf(kinds)(kind))
  return first === undefined ? [] : [first]
}

/** Makes the notification of the transaction's beginning for a member that replaces another. */
function beginOf({ transaction }: Proposal): Proposal {
  return {
    id: randomUUID(),
    transaction,
    kind: 'registry.begin',
    entry: null,
    original: null,
    awaitsAnswer: false,
    deadline: null,
  }
}

/** Compiled once for each participation that was read, because each proposal asks every member. */
const matchers = new WeakMap<readonly string[], (kind: string) => boolean>()

function matcherOf(kinds: readonly string[]): (kind: string) => boolean {
  const known = matchers.get(kinds)
  if (known !== undefined) return known
  const patterns = kinds.map(compileBusPattern)
  const matcher = (kind: string) => patterns.some((matches) => matches(kind))
  matchers.set(kinds, matcher)
  return matcher
}

function checkName(name: string): void {
  if (utf8Length(name) > LONGEST_NAME || NOT_A_NAME.test(name)) {
    throw new RegistryError(
      'BAD_USER_INPUT',
      `participant: a name has 1 to ${LONGEST_NAME} bytes, no control characters, and no white space at its ends.`,
    )
  }
}

function checkKinds(kinds: readonly string[] | null): void {
  if (kinds === null) return
  if (kinds.length === 0)
    throw new RegistryError(
      'BAD_USER_INPUT',
      'kinds: an empty list takes part in nothing. Omit it to take part for all kinds.',
    )
  if (kinds.length > MOST_PATTERNS)
    throw new RegistryError(
      'BAD_USER_INPUT',
      `kinds: ${kinds.length} patterns were sent. At most ${MOST_PATTERNS} are allowed.`,
    )
  for (const [i, kind] of kinds.entries()) parseBusPattern(kind, `kinds[${i}]`)
}
