/**
 * How a coordinator begins, as a database of one node is opened: all shards are asked what they have, of which nothing more
 * of earlier coordinators will come; parts of statements that are not everywhere are aborted, in all shards before anything
 * is released in any; then all that was found may be seen.
 *
 * The order matters: a part that is seen in one shard may be flushed there, which says to whoever comes next that all parts
 * of its statement are there.
 */
import { partsThatDoNotCount } from '../../../engine/shards/recovery.ts'
import { abortBatch } from '../../../lsm/batch-builder.ts'
import { createDeferred } from '../../../runtime/deferred.ts'
import type { ShardWriter } from '../appends/shard-writer.ts'

/** By shard. Rejects only when a writer has ended. */
export async function takeOver(writers: readonly ShardWriter[]): Promise<void> {
  const opened = await Promise.all(writers.map((writer) => writer.open()))
  const lost = partsThatDoNotCount(opened)
  const aborted = createDeferred()
  await Promise.all(writers.map(async (writer, shard) => {
    const missing = [...lost[shard]!].filter((id) => !opened[shard]!.aborted.has(id))
    if (missing.length === 0) return
    const { durable, applied } = writer.append(abortBatch(missing.map((id) => Buffer.from(id, 'hex'))), { durableEverywhere: aborted.promise })
    applied.catch(() => {})
    await durable
  }))
  aborted.resolve()
  await Promise.all(writers.map((writer) => writer.releaseAll()))
}
