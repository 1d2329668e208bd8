/**
 * Back-pressure: writers wait before they append, never in the middle. Level 0 runs slow them down by degrees, so that
 * compaction keeps up without a cliff; at the limits they stop until a flush or a compaction gives relief.
 */
import { noteTrouble, waitFor } from './tree-state.ts'
import type { TreeState } from './tree-state.ts'
import type { TreeStats } from '../tree.ts'

type Stall = TreeStats['stall']

const delayMsMax = 50

/** Waits as long as writes of `byteLength` bytes must; undefined when they need not. */
export function admit(state: TreeState, byteLength: number): Promise<void> | undefined {
  const stall = stallOf(state)
  return stall === 'none' ? state.log.admit(byteLength) : waitForRelief(state, stall, byteLength).then(() => state.log.admit(byteLength))
}

export function stallOf(state: TreeState): Stall {
  const { frozenMemtablesMax, level0RunsStop, level0RunsSlow } = state.options.settings
  const runs = state.view.version.level0Runs
  if (state.frozen.length > frozenMemtablesMax || runs >= level0RunsStop) return 'stop'
  return runs >= level0RunsSlow ? 'slow' : 'none'
}

async function waitForRelief(state: TreeState, stall: Stall, byteLength: number): Promise<void> {
  const { clock } = state.options
  const start = clock.monotonicMs()
  if (stall === 'slow') {
    await clock.sleep(delayMs(state, byteLength))
    state.counters.stalledSlowMs += clock.monotonicMs() - start
    return
  }
  try {
    while (stallOf(state) === 'stop') {
      // What cannot be flushed now gives no relief soon: writers are told why, instead of waiting without a word.
      const trouble = state.flushFailure ?? state.options.room.refusal
      if (trouble !== undefined) throw trouble
      await waitFor(state, -1)
    }
  } catch (error) {
    noteTrouble(state, 'waiting for a flush', error)
    throw error
  } finally {
    state.counters.stalledStopMs += clock.monotonicMs() - start
  }
}

/** Grows with the runs above the limit, and with the size of the write. */
function delayMs(state: TreeState, byteLength: number): number {
  const { level0RunsStop, level0RunsSlow } = state.options.settings
  const degree = (state.view.version.level0Runs - level0RunsSlow + 1) / Math.max(1, level0RunsStop - level0RunsSlow)
  return Math.min(delayMsMax, degree * (1 + byteLength / 65_536))
}
