/**
 * A reader thread's program: takes part in the scans that it is invited to, over the serving thread's linear memory, with
 * a heap region and kernels of its own. It reads no storage: the chunks that it is given are pinned in the cache.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { LsmtError } from '../../errors.ts'
import { viewLinearMemory } from '../../kernel/linear-memory.ts'
import { openKernel } from '../../kernel/open-kernel.ts'
import { readerReady } from './reader-messages.ts'
import type { ReaderOutcome, ReaderStart, SharedScan, ToReader } from './reader-messages.ts'
import { prepareShare } from './run-share.ts'
import type { PreparedShare } from './run-share.ts'

function main(port: NonNullable<typeof parentPort>, start: ReaderStart): void {
  const kernel = openKernel(start.kernelKind, viewLinearMemory(start.memory), start.region)
  const answer = (outcome: ReaderOutcome): void => start.outcomes.postMessage(outcome)
  let share: PreparedShare | undefined

  const join = (id: number, scan: SharedScan): void => {
    const { i32 } = kernel.memory, invitation = start.invitation >>> 2
    // Who invites again is done with the part before.
    share?.free()
    share = undefined
    if (Atomics.load(i32, invitation) !== id) return
    try {
      share = prepareShare(kernel, scan)
    } catch (error) {
      answer({ kind: 'declined', id, reason: reasonOf(error) })
      return
    }
    // Only now: a scan that is over by now need not wait.
    if (Atomics.compareExchange(i32, invitation, id, -id) !== id) return
    answer(outcomeOf(id, share))
    // Who had the outcome at once may have invited again by now.
    Atomics.compareExchange(i32, invitation, -id, 0)
  }
  port.on('message', (message: ToReader) => {
    switch (message.kind) {
      case 'scan':
        join(message.id, message.scan)
        break
      case 'close':
        start.outcomes.close()
        port.close()
        break
    }
  })
  port.postMessage(readerReady)
}

function outcomeOf(id: number, share: PreparedShare): ReaderOutcome {
  try {
    const run = share.run()
    return run === undefined ? { kind: 'failed', id, reason: 'the scan was stopped' } : { kind: 'done', id, ...run }
  } catch (error) {
    return { kind: 'failed', id, reason: reasonOf(error) }
  }
}

/** As text: the scan is done again by the serving thread, whose error is the statement's. */
function reasonOf(error: unknown): string {
  if (error instanceof LsmtError) return error.message
  return `internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
}

if (parentPort !== null) main(parentPort, workerData as ReaderStart)
