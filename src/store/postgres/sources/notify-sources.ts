import { sql } from 'drizzle-orm'
import { EXCHANGE_CHANNEL } from '../base/channels.js'
import type { Notifications } from '../base/notifications.js'

/** The addressee of notifications for all gateways that have sources. No gateway has this id. */
const ADDRESSEE = 'sources'

/**
 * Notifies every gateway when the statement commits. For a RETURNING list: it notifies once however many rows return.
 */
export const notifySources = sql`pg_notify(${EXCHANGE_CHANNEL}, ${ADDRESSEE})`

/** Calls back on every such notification, and after each reconnect, because a notification may have been lost. */
export function onNotifySources(notifications: Notifications, callback: () => void): () => void {
  return notifications.onExchange((addressee) => {
    if (addressee === null || addressee === ADDRESSEE) callback()
  })
}
