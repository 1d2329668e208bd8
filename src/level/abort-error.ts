/** The error that abstract-level promises for what its signal ended. */
export class AbortError extends Error {
  override readonly name = 'AbortError'
  readonly code = 'LEVEL_ABORTED'

  constructor(cause: unknown) {
    super('Operation has been aborted', { cause })
  }
}
