import { randomUUID } from 'node:crypto'
import type { SourceRecords } from '../../contract/source-records.js'
import type { DrizzleClient } from '../base/drizzle-client.js'
import type { Notifications } from '../base/notifications.js'
import { onNotifySources } from './notify-sources.js'
import { reloadRequests } from './reload-requests.js'
import { sourceEntries } from './source-entries.js'
import { sourceLeases } from './source-leases.js'
import { SourceRecordWriter } from './source-record-writer.js'

/** Opens the records of sources. Every statement may run twice: the client repeats it if a connection breaks. */
export function openPostgresSourceRecords(client: DrizzleClient, notifications: Notifications): SourceRecords {
  const holder = randomUUID()
  const writer = new SourceRecordWriter(client, holder)
  return {
    holder,
    ...sourceLeases(client, holder),
    ...sourceEntries(client),
    ...reloadRequests(client),
    save: (source, changes) => writer.save(source, changes),
    onSignal: (listener) => onNotifySources(notifications, listener),
  }
}
