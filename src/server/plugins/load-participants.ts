import type { Participant } from '../../registry/participants/participant.js'
import { WebhookParticipant } from '../../registry/participants/webhook-participant.js'
import type { GatewayConfig } from '../config/config.js'
import { ConfiguredError } from '../config/start-error.js'

export interface LoadedParticipants {
  readonly participants: readonly Participant[]
  close(): void
}

/**
 * Creates the configured webhooks and adds the plugins' participants.
 * @param onUnreachable receives each failed connection of a webhook
 * @throws ConfiguredError if two have the same name
 */
export function loadParticipants(
  { participants }: Pick<GatewayConfig, 'participants'>,
  ofPlugins: readonly Participant[],
  onUnreachable: (name: string, error: unknown) => void,
): LoadedParticipants {
  const webhooks = participants.map(
    ({ timeoutSeconds, ...webhook }) =>
      new WebhookParticipant({ ...webhook, timeoutMs: timeoutSeconds * 1_000, onUnreachable }),
  )
  const all = [...webhooks, ...ofPlugins]
  const names = all.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new ConfiguredError(`Two participants have the name "${twice}". Rename one.`)
  return { participants: all, close: () => webhooks.forEach((webhook) => webhook.close()) }
}
