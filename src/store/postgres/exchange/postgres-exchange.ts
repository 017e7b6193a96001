import { randomUUID } from 'node:crypto'
import { SharedRead } from '../../coalescing/shared-read.js'
import {
  type BusListener,
  type Exchange,
  type Offer,
  type ParticipationMessage,
  type ProposalAnswer,
  RecipientsGone,
} from '../../contract/exchange.js'
import { decodeEvent } from '../../planning/event-codec.js'
import type { Notifications } from '../base/notifications.js'
import type { RetryingClient } from '../base/retrying-client.js'
import { EventGapDetector } from './event-gap-detector.js'
import { EventOutbox } from './event-outbox.js'
import {
  answerProposal,
  deleteParticipation,
  deleteProposal,
  insertParticipation,
  type MailboxRow,
  readMailbox,
  readPeers,
  sendEventsToPeers,
  sendToRecipients,
  setListens,
  trimEvents,
} from './exchange-sql.js'
import { GatewayLease } from './gateway-lease.js'
import { LocalRecipients, type RecipientAddress } from './local-recipients.js'

/** @bound Events that wait in a gateway's mailbox. */
const WAITING_EVENTS = 5_000

interface OpenOffer {
  readonly recipients: readonly string[]
  settle(answer: ProposalAnswer): void
  fail(error: Error): void
}

/**
 * The exchange over Postgres. Every gateway has a mailbox of rows, which a notification only says to look into: on every
 * (re)connect, and once a second while anything is open here, it is looked into anyway, so nothing is lost. Rows are
 * removed when they have been taken. A gateway with nothing open makes no query and has no row.
 */
export function openPostgresExchange(client: RetryingClient, notifications: Notifications): Exchange {
  const localRecipients = new LocalRecipients()
  const listeners = new Set<BusListener>()
  const offers = new Map<string, OpenOffer>()
  const gaps = new EventGapDetector()
  /** Participations that have ended and may stand in the database yet. */
  const leaving = new Set<string>()
  let taken: number[] = []
  /** Null: not known, because something has changed since it was looked at. */
  let othersListen: boolean | null = null
  let unattended: boolean | null = null
  let changes = 0
  let closed = false

  const lease = new GatewayLease(client, {
    isNeeded: () => localRecipients.size > 0 || listeners.size > 0 || offers.size > 0 || leaving.size > 0,
    listens: () => listeners.size > 0,
    tick: () => Promise.all([mail.read(), checkPeers(), ...[...leaving].map(removeParticipation)]),
    lost(error) {
      localRecipients.lose(error)
      for (const { fail } of [...offers.values()]) fail(error)
      taken = []
    },
  })

  const interest = new SharedRead(async () => {
    const seen = changes
    const found = await client.run((sql) => readPeers(sql, lease.id))
    if (seen === changes) {
      othersListen = found.othersListen
      unattended = found.participations.length === 0
    }
    return found
  })

  const mail = new SharedRead(async () => {
    for (;;) {
      if (!lease.isHeld) return
      const { id } = lease
      const rows = await client.run((sql) => readMailbox(sql, id, taken))
      taken = rows.map(({ seq }) => seq)
      for (const row of rows) TAKE[row.topic](row)
      if (rows.length === 0) return
      if (rows.some(({ topic }) => topic === 'event')) await client.run((sql) => trimEvents(sql, id, WAITING_EVENTS))
    }
  })

  const TAKE: Readonly<Record<MailboxRow['topic'], (row: MailboxRow) => void>> = {
    proposal: ({ header, body }) => localRecipients.deliver(JSON.parse(header) as RecipientAddress, body),
    answer({ header }) {
      const { id, accept, reason } = JSON.parse(header) as ProposalAnswer & { id: string }
      offers.get(id)?.settle({ accept, reason })
    },
    event({ header, body }) {
      const missed = gaps.receive(JSON.parse(header) as { from: string; n: number })
      if (missed === undefined || listeners.size === 0) return
      const event = decodeEvent(body)
      for (const listener of [...listeners]) {
        if (missed > 0) listener.missed(missed)
        listener.event(event)
      }
    },
  }

  const outbox = new EventOutbox(randomUUID(), async (letters) => {
    const seen = changes
    const gateways = await client.run((sql) => sendEventsToPeers(sql, lease.id, letters))
    if (seen === changes) othersListen = gateways > 0
    return gateways > 0
  })

  /** Fails the offers whose recipients have all gone. */
  async function checkPeers(): Promise<void> {
    if (offers.size === 0) return
    const asked = [...offers.values()]
    const there = new Set((await interest.read()).participations.map(({ id }) => id))
    for (const { recipients, fail } of asked) if (!recipients.some((id) => there.has(id))) fail(gone())
  }

  notifications.onExchange((addressee) => {
    if (closed) return
    if (addressee === null || addressee === '*') {
      changes += 1
      othersListen = null
      unattended = null
      checkPeers().catch(awaitNextTick)
    }
    if (addressee === null || addressee === lease.id) mail.read().catch(awaitNextTick)
  })

  async function removeParticipation(id: string): Promise<void> {
    await client.run((sql) => deleteParticipation(sql, id))
    leaving.delete(id)
  }

  let told: Promise<unknown> = Promise.resolve()
  /** One after the other, each as it then is. */
  function tellWhetherListening(): Promise<unknown> {
    return (told = told
      .catch(() => {})
      .then(async () => {
        if (!closed && lease.isHeld) await client.run((sql) => setListens(sql, lease.id, listeners.size > 0))
      }))
  }

  async function send(post: ParticipationMessage, proposal: Offer | null): Promise<void> {
    await lease.hold()
    const { id: runner } = lease
    const address: RecipientAddress = { to: post.recipients, id: randomUUID() }
    const letter = { header: JSON.stringify(address), body: post.body }
    const isSent = await client.run((sql) => sendToRecipients(sql, runner, post.recipients, letter, proposal))
    if (!isSent) throw gone()
  }

  return {
    participations: async () => (await interest.read()).participations,
    seemsWithoutParticipants: () => unattended === true,
    async takePart(who, seat) {
      await lease.hold()
      const participation = { id: randomUUID(), ...who }
      localRecipients.add(participation.id, seat)
      try {
        await client.run((sql) => insertParticipation(sql, lease.id, participation))
      } catch (error) {
        localRecipients.remove(participation.id)
        // It may have been written all the same.
        leaving.add(participation.id)
        throw error
      }
      return async () => {
        localRecipients.remove(participation.id)
        leaving.add(participation.id)
        if (!closed) await removeParticipation(participation.id)
      }
    },
    offer: (offer, signal) =>
      new Promise((resolve, reject) => {
        const end = () => {
          if (!offers.delete(offer.id)) return
          signal.removeEventListener('abort', abort)
          // Until it is forgotten an answer would still count; its deadline, and this gateway's lease, end that too.
          if (!closed) client.run((sql) => deleteProposal(sql, offer.id)).catch(awaitNextTick)
        }
        const fail = (error: Error) => {
          end()
          reject(error)
        }
        const abort = () => fail(signal.reason instanceof Error ? signal.reason : new Error('nobody waits any more'))
        if (closed || signal.aborted) return reject(closed ? stopping() : new Error('nobody waits any more'))
        signal.addEventListener('abort', abort, { once: true })
        offers.set(offer.id, {
          recipients: offer.recipients,
          settle(answer) {
            end()
            resolve(answer)
          },
          fail,
        })
        send(offer, offer).catch(fail)
      }),
    notify: (post) => send(post, null),
    async answer(proposal, answer) {
      const id = randomUUID()
      return client.run((sql) => answerProposal(sql, proposal, id, JSON.stringify({ id: proposal, ...answer })))
    },

    isHeard: () => listeners.size > 0 || othersListen !== false,
    publish(event) {
      for (const listener of [...listeners]) listener.event(event)
      if (othersListen !== false && !closed) outbox.push(event)
    },
    async listen(listener) {
      listeners.add(listener)
      const forget = () => {
        listeners.delete(listener)
        if (listeners.size > 0) return
        gaps.clear()
        tellWhetherListening().catch(awaitNextTick)
      }
      try {
        await lease.hold()
        if (listeners.size === 1) tellWhetherListening().catch(() => {})
        await told
      } catch (error) {
        forget()
        throw error
      }
      return async () => forget()
    },

    async close() {
      closed = true
      for (const { fail } of [...offers.values()]) fail(stopping())
      listeners.clear()
      await lease.end()
    },
  }
}

/** The store is away: what failed here is done again by the lease's next tick. */
function awaitNextTick(): void {}

function gone(): RecipientsGone {
  return new RecipientsGone('its client has gone')
}

function stopping(): Error {
  return new Error('the gateway is stopping')
}
