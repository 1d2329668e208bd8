/** Reads of several shards at a time. */

/**
 * What all of them give. When one fails, the others are waited for before its error is thrown: until then they use what
 * the caller is about to close.
 */
export async function allEnded<T>(reads: readonly Promise<T>[]): Promise<readonly T[]> {
  const outcomes = await Promise.allSettled(reads)
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason
    return outcome.value
  })
}
