/** The gateway cannot start for a reason that its operator can fix. */
export class StartError extends Error {
  override readonly name = 'StartError'
}
