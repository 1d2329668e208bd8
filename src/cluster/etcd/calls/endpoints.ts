/** Which member is asked: the one that answered last, and after a failure the next one. */
import type { Random } from '../../../runtime/random.ts'

export interface Endpoints {
  readonly all: readonly string[]
  /** The members in the order in which one round asks them. */
  round(): readonly string[]
  /** Later rounds begin behind it, unless another failure has moved on already. */
  failed(endpoint: string): void
}

/** Begins anywhere, so that many clients spread over the members. */
export function createEndpoints(all: readonly string[], random: Random): Endpoints {
  let first = random.below(all.length)
  return {
    all,
    round: () => [...all.slice(first), ...all.slice(0, first)],
    failed(endpoint) {
      if (all[first] === endpoint) first = (first + 1) % all.length
    },
  }
}
