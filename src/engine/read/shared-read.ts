/** Reads whose rows are shared with reader threads where there are many. */
import type { ReaderPart, SharedWork } from '../../lsm/readers/reader-messages.ts'
import type { ReadStats, ScanRequest } from '../../lsm/tree.ts'
import type { Shards } from '../shards/shards.ts'

/**
 * What `read` gives: it asks all shards as `request` says, and then for what readers made of their part of the rows, which
 * is good until `read` ends. When anything fails while readers take part it is done once more without them: so a
 * reader that dies or has no memory costs time only, and errors are those of one thread that takes row after row.
 */
export async function readShared<T>({ readers, trees }: Shards, request: ScanRequest, work: SharedWork, stats: ReadStats | undefined, read: (request: ScanRequest, parts: () => Promise<readonly ReaderPart[]>) => Promise<T>): Promise<T> {
  const alone = (): Promise<T> => read(request, () => Promise.resolve([]))
  const share = readers.share(request, work, trees.length)
  if (share === undefined) return alone()
  const before = { ...stats }
  try {
    return await read({ ...request, share }, share.end)
  } catch (error) {
    if (!share.isStarted()) throw error
    readers.noteRepeated(error)
  } finally {
    await share.close()
  }
  if (stats !== undefined) Object.assign(stats, before)
  return alone()
}
