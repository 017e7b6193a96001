import { sql } from 'drizzle-orm'
import { EXCHANGE_CHANNEL } from '../base/channels.js'
import type { Notifications } from '../base/notifications.js'

/** Addresses every gateway that has sources; no gateway has this id. */
const ADDRESSEE = 'sources'

/** Calls every gateway when the statement commits. For a RETURNING list: it notifies once however many rows return. */
export const notifySources = sql`pg_notify(${EXCHANGE_CHANNEL}, ${ADDRESSEE})`

/** Calls back on every such notification, and after each reconnect, since any may have been lost. */
export function onNotifySources(notifications: Notifications, callback: () => void): () => void {
  return notifications.onExchange((addressee) => {
    if (addressee === null || addressee === ADDRESSEE) callback()
  })
}
