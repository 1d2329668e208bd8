/** Tails of several files, held together for one step. */
import type { ReadStats } from '../table/fetch.ts'
import type { TableReader } from '../table/table.ts'

/**
 * Reads the tails of all at once and has them in memory together for one step, whatever else the cache is asked for.
 * Files that were closed meanwhile are passed over: a read without a snapshot finds what took their place.
 */
export async function loadTails(readers: readonly TableReader[], stats: ReadStats | undefined): Promise<void> {
  const open = readers.filter((reader) => !reader.isClosed)
  const outcomes = await Promise.allSettled(open.map(async (reader) => reader.hold(stats)))
  for (const [i, outcome] of outcomes.entries()) if (outcome.status === 'fulfilled') open[i]!.release()
  const failed = outcomes.find((outcome, i) => outcome.status === 'rejected' && !open[i]!.isClosed)
  if (failed?.status === 'rejected') throw failed.reason
}
