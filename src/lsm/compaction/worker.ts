/**
 * The background worker's program: flushes and compactions over the serving thread's linear memory, with a heap region,
 * kernels, a cache and a storage handle of its own. Frozen memtables are read in place, by their address.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { viewLinearMemory } from '../../kernel/linear-memory.ts'
import { openKernel } from '../../kernel/open-kernel.ts'
import { systemClock } from '../../runtime/clock.ts'
import { attachStorage } from '../../storage/open-storage.ts'
import { createChunkCache } from '../table/chunk-cache.ts'
import { createJobLanes } from './job-lanes.ts'
import { plainError } from './worker-messages.ts'
import type { FromWorker, ToWorker, WorkerStart } from './worker-messages.ts'

/** Long enough to be cheap; a flush that arrives waits no longer than this for the compaction under way. */
const sliceMsMax = 5

async function main(port: NonNullable<typeof parentPort>, start: WorkerStart): Promise<void> {
  const kernel = openKernel(start.kernelKind, viewLinearMemory(start.memory), start.region)
  const answer = (message: FromWorker): void => port.postMessage(message)
  const storage = await attachStorage(start.storageAddress, (block) => answer({ kind: 'kept', block }))
  const cache = createChunkCache(kernel.heap, start.cacheBytesMax)
  // Jobs read pinned chunks only, so what they write with may take the place of others.
  kernel.heap.onFull = cache.evict
  const lanes = createJobLanes({ storage, kernel, cache, clock: systemClock, sliceMsMax })
  const aborts = new Map<number, AbortController>()

  const run = async ({ id, job }: Extract<ToWorker, { kind: 'run' }>): Promise<void> => {
    const abort = new AbortController()
    aborts.set(id, abort)
    try {
      const result = await lanes.run(job, abort.signal)
      answer({ kind: 'done', id, result, counts: { ...storage.counts } })
    } catch (error) {
      answer({ kind: 'failed', id, error: plainError(error), counts: { ...storage.counts } })
    } finally {
      aborts.delete(id)
    }
  }
  const close = async (): Promise<void> => {
    for (const abort of aborts.values()) abort.abort()
    await lanes.close()
    await storage.close()
    port.close()
  }
  port.on('message', (message: ToWorker) => {
    switch (message.kind) {
      case 'run':
        void run(message)
        break
      case 'abort':
        aborts.get(message.id)?.abort()
        break
      case 'close':
        void close()
        break
    }
  })
}

if (parentPort !== null) await main(parentPort, workerData as WorkerStart)
