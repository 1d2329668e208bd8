/**
 * A reader thread's program: takes part in the scans that it is invited to, over the serving thread's linear memory, with
 * a heap region and kernels of its own. It reads no storage: the chunks that it is given are pinned in the cache.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { LsmtError } from '../../errors.ts'
import { viewLinearMemory } from '../../kernel/linear-memory.ts'
import { openKernel } from '../../kernel/open-kernel.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { readerReady } from './reader-messages.ts'
import type { ReaderOutcome, ReaderStart, SharedScan, ToReader } from './reader-messages.ts'
import { runShare } from './run-share.ts'
import type { ReaderRun } from './run-share.ts'

function main(port: NonNullable<typeof parentPort>, start: ReaderStart): void {
  const kernel = openKernel(start.kernelKind, viewLinearMemory(start.memory), start.region)
  const answer = (outcome: ReaderOutcome): void => start.outcomes.postMessage(outcome)
  let run: ReaderRun | undefined

  const join = (id: number, scan: SharedScan): void => {
    const invitation = start.invitation >>> 2
    if (Atomics.compareExchange(kernel.memory.i32, invitation, id, -id) !== id) return
    // Who invites again is done with the part before.
    run?.free()
    run = undefined
    const outcome = runOf(kernel, scan)
    if (typeof outcome === 'string') answer({ kind: 'failed', id, reason: outcome })
    else {
      run = outcome
      if (run.part === undefined) answer({ kind: 'failed', id, reason: 'the scan was stopped' })
      else answer({ kind: 'done', id, part: run.part, rowGroups: run.rowGroups })
    }
    // Who had the outcome at once may have invited again by now.
    Atomics.compareExchange(kernel.memory.i32, invitation, -id, 0)
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

/** Why it failed, as text: the scan is done again by the serving thread, whose error is the statement's. */
function runOf(kernel: Kernel, scan: SharedScan): ReaderRun | string {
  try {
    return runShare(kernel, scan)
  } catch (error) {
    if (error instanceof LsmtError) return error.message
    return `internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
  }
}

if (parentPort !== null) main(parentPort, workerData as ReaderStart)
