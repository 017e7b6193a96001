/** The gateway cannot start for a reason that its operator can fix. */
export class StartError extends Error {
  override readonly name = 'StartError'
}

/** The configuration names something that only a part of the gateway could check. */
export class ConfiguredError extends StartError {}
