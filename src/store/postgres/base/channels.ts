/** Notifies every gateway that the head has moved. Carries no payload. */
export const ADVANCE_CHANNEL = 'cadastre_advance'

/**
 * Notifies a gateway of messages in its mailbox. The payload is the gateway's id. The payload `*` means that listeners
 * or participants have changed, `sources` that a source request has.
 */
export const EXCHANGE_CHANNEL = 'cadastre_exchange'

/** Notifies every gateway that instances have changed. The payload is the entry's id, or `*` for any entry. */
export const INSTANCE_CHANNEL = 'cadastre_instance'
