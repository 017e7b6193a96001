import { randomUUID } from 'node:crypto'
import { SharedRead } from '../../coalescing/shared-read.js'
import type { BusListener, Exchange, Offer, ParticipationMessage, ProposalAnswer } from '../../contract/exchange.js'
import { decodeEvent } from '../../planning/event-codec.js'
import type { DrizzleClient } from '../base/drizzle-client.js'
import type { Notifications } from '../base/notifications.js'
import { EventGapDetector } from './event-gap-detector.js'
import { EventOutbox } from './event-outbox.js'
import { GatewayLease } from './gateway-lease.js'
import { LocalRecipients, type RecipientAddress } from './local-recipients.js'
import {
  answerProposal,
  deleteProposal,
  type MailboxRow,
  readMailbox,
  sendEventsToPeers,
  sendToRecipients,
  trimEvents,
} from './mailbox-queries.js'
import { OpenOffers, recipientsGone } from './open-offers.js'
import { deleteParticipation, insertParticipation, readPeers, setListens } from './peer-queries.js'

/** @bound Events in the mailbox of a gateway. A gateway that reads more slowly misses the oldest ones. */
const WAITING_EVENTS = 5_000

/**
 * Opens the exchange over Postgres. README.md of this room explains mailboxes and leases.
 * A gateway with nothing open sends no query and has no row.
 */
export function openPostgresExchange(client: DrizzleClient, notifications: Notifications): Exchange {
  const localRecipients = new LocalRecipients()
  const listeners = new Set<BusListener>()
  const gaps = new EventGapDetector()
  /** Ended participations whose rows may still exist. */
  const leaving = new Set<string>()
  /** Messages that have been handled and are removed by the next read. */
  let handled: number[] = []
  /** Null if unknown, because peers have changed since they were read. */
  let othersListen: boolean | null = null
  let hasNoParticipants: boolean | null = null
  let peerChanges = 0
  let closed = false

  const offers = new OpenOffers({
    send: (message, offer) => send(message, offer),
    readAlive: async () => (await peers.read()).participations,
    readAnswers: () => mail.read(),
    ended(id) {
      // Until the row is removed, an answer would still count. The offer's deadline and this gateway's lease end that
      // too.
      if (!closed) client.run((database) => deleteProposal(database, id)).catch(awaitNextTick)
    },
  })

  const lease = new GatewayLease(client, {
    isNeeded: () => localRecipients.size > 0 || listeners.size > 0 || offers.size > 0 || leaving.size > 0,
    listens: () => listeners.size > 0,
    tick: () => Promise.all([mail.read(), offers.reassignAbandoned(), ...[...leaving].map(removeParticipation)]),
    lost(error) {
      localRecipients.loseAll(error)
      offers.failAll(error)
      handled = []
    },
  })

  const peers = new SharedRead(async () => {
    const seen = peerChanges
    const found = await client.run((database) => readPeers(database, lease.id))
    if (seen === peerChanges) {
      othersListen = found.othersListen
      hasNoParticipants = found.participations.length === 0
    }
    return found
  })

  const mail = new SharedRead(async () => {
    for (;;) {
      if (!lease.isHeld) return
      const { id } = lease
      const rows = await client.run((_, sql) => readMailbox(sql, id, handled))
      handled = rows.map(({ seq }) => seq)
      for (const row of rows) HANDLE[row.topic](row)
      if (rows.length === 0) return
      if (rows.some(({ topic }) => topic === 'event'))
        await client.run((database) => trimEvents(database, id, WAITING_EVENTS))
    }
  })

  const HANDLE: Readonly<Record<MailboxRow['topic'], (row: MailboxRow) => void>> = {
    proposal: ({ header, body }) => localRecipients.deliver(JSON.parse(header) as RecipientAddress, body),
    answer({ header }) {
      const { id, accept, reason } = JSON.parse(header) as ProposalAnswer & { id: string }
      offers.answer(id, { accept, reason })
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

  const outbox = new EventOutbox(randomUUID(), async (messages) => {
    const seen = peerChanges
    const gateways = await client.run((_, sql) => sendEventsToPeers(sql, lease.id, messages))
    if (seen === peerChanges) othersListen = gateways > 0
    return gateways > 0
  })

  notifications.onExchange((addressee) => {
    if (closed) return
    if (addressee === null || addressee === '*') {
      peerChanges += 1
      othersListen = null
      hasNoParticipants = null
      offers.reassignAbandoned().catch(awaitNextTick)
    }
    if (addressee === null || addressee === lease.id) mail.read().catch(awaitNextTick)
  })

  async function removeParticipation(id: string): Promise<void> {
    await client.run((database) => deleteParticipation(database, id))
    leaving.delete(id)
  }

  let listensSaved: Promise<unknown> = Promise.resolve()
  /** Saves one value after another, each the value at the time of its save. */
  function saveListens(): Promise<unknown> {
    return (listensSaved = listensSaved
      .catch(() => {})
      .then(async () => {
        if (!closed && lease.isHeld) await client.run((database) => setListens(database, lease.id, listeners.size > 0))
      }))
  }

  async function send({ recipients, body }: ParticipationMessage, offer: Offer | null): Promise<void> {
    await lease.hold()
    const { id: self } = lease
    const address: RecipientAddress = { to: recipients, id: randomUUID() }
    const message = { header: JSON.stringify(address), body }
    const isSent = await client.run((_, sql) => sendToRecipients(sql, self, recipients, message, offer))
    if (!isSent) throw recipientsGone()
  }

  return {
    participations: async () => (await peers.read()).participations,
    seemsWithoutParticipants: () => hasNoParticipants === true,
    async takePart(who, recipient) {
      await lease.hold()
      const participation = { id: randomUUID(), ...who }
      localRecipients.add(participation.id, recipient)
      try {
        await client.run((database) => insertParticipation(database, lease.id, participation))
      } catch (error) {
        localRecipients.remove(participation.id)
        // The row may exist nevertheless.
        leaving.add(participation.id)
        throw error
      }
      return async () => {
        localRecipients.remove(participation.id)
        leaving.add(participation.id)
        if (!closed) await removeParticipation(participation.id)
      }
    },
    async offer(offer, signal) {
      if (closed) throw stopping()
      return offers.open(offer, signal)
    },
    notify: (message) => send(message, null),
    async answer(proposal, answer) {
      const id = randomUUID()
      return client.run((_, sql) => answerProposal(sql, proposal, id, JSON.stringify({ id: proposal, ...answer })))
    },

    hasListeners: () => listeners.size > 0 || othersListen !== false,
    publish(event) {
      for (const listener of [...listeners]) listener.event(event)
      if (othersListen !== false && !closed) outbox.push(event)
    },
    async listen(listener) {
      listeners.add(listener)
      const stopListening = () => {
        listeners.delete(listener)
        if (listeners.size > 0) return
        gaps.clear()
        saveListens().catch(awaitNextTick)
      }
      try {
        await lease.hold()
        if (listeners.size === 1) saveListens().catch(() => {})
        await listensSaved
      } catch (error) {
        stopListening()
        throw error
      }
      return async () => stopListening()
    },

    async close() {
      closed = true
      offers.failAll(stopping())
      listeners.clear()
      await lease.end()
    },
  }
}

/** The store is unavailable. The lease's next tick repeats the failed statements. */
function awaitNextTick(): void {}

function stopping(): Error {
  return new Error('the gateway is stopping')
}
