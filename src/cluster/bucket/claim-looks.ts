/** Looks whether a later owner has claimed the shard, for reads: those that come while one is under way share the next. */
import { isOvertaken } from '../../lsm/claim/writer-claim.ts'

export interface ClaimLooksOptions {
  look(): Promise<void>
  served(id: string): void
  /** Somebody else owns the shard now. */
  overtaken(id: string): void
  /** It could not be told. */
  failed(id: string): void
}

export class ClaimLooks {
  readonly #options: ClaimLooksOptions
  #waiting: string[] = []
  #isLooking = false

  constructor(options: ClaimLooksOptions) {
    this.#options = options
  }

  ask(id: string): void {
    this.#waiting.push(id)
    if (!this.#isLooking) void this.#lookOn()
  }

  async #lookOn(): Promise<void> {
    const { look, served, overtaken, failed } = this.#options
    this.#isLooking = true
    while (this.#waiting.length > 0) {
      const asking = this.#waiting
      this.#waiting = []
      const tell = await look().then(() => served, (error: unknown) => (isOvertaken(error) ? overtaken : failed))
      for (const id of asking) tell(id)
    }
    this.#isLooking = false
  }
}
