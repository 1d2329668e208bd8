/**
 * What is committed becomes visible, in the order of the log: a part of a statement over several shards when it is
 * released, or is passed over when it is aborted; what follows waits behind it. Much at once is applied in slices, and
 * while too many memtables wait to be flushed nothing is.
 */
import { invariant, LsmtError } from '../../errors.ts'
import { canWork } from '../state/background.ts'
import { batchFlag, viewOf } from '../batch.ts'
import { noteTrouble, poison, waitFor } from '../state/tree-state.ts'
import type { TreeState } from '../state/tree-state.ts'
import { applyBatch, freezeIfPossible, isFull } from '../state/write-path.ts'
import type { EntryWindow } from './entry-window.ts'
import type { PartLedger } from './part-ledger.ts'
import type { ReplicatedEntry, ReplicatedTreeOptions } from './replicated-tree.ts'

/** A tree and the entries on their way to it, wherever their log is. */
export interface Applying {
  readonly options: Pick<ReplicatedTreeOptions, 'clock' | 'settings' | 'onVisible'>
  readonly tree: TreeState
  readonly flushSoon: () => void
  readonly window: EntryWindow
  readonly parts: PartLedger
  committed: number
  /** The greatest release that everything is committed up to, and later ones, ascending. */
  released: number
  readonly releases: number[]
  tablesSequence: number
  /** Applying goes on by itself in a later turn. */
  isApplying: boolean
  /** More is visible, and was told so. */
  readonly shown: () => void
}

export function commit(replica: Applying, throughSequence: number): void {
  const { window } = replica
  invariant(throughSequence <= window.lastSequence, () => `sequence ${throughSequence} is committed of a log that ends at ${window.lastSequence}`)
  replica.committed = Math.max(replica.committed, throughSequence)
  apply(replica)
}

/** More releases than these wait for what they release only where that lags far behind; then some of them say enough. */
const releasesMax = 64

/**
 * What a release releases is judged when everything up to it is committed here: an abort record might come before its
 * end. So releases that come early are kept one by one; the newest alone might stay ahead for ever.
 */
export function release(replica: Applying, throughSequence: number): void {
  const { releases } = replica
  if (throughSequence <= Math.max(replica.released, releases.at(-1) ?? 0)) return
  if (releases.length === releasesMax) releases.pop()
  releases.push(throughSequence)
  apply(replica)
}

function apply(replica: Applying): void {
  const { tree, releases } = replica
  while (releases.length > 0 && releases[0]! <= replica.committed) replica.released = releases.shift()!
  if (replica.isApplying || !canWork(tree)) return
  const before = tree.visibleSequence
  let outcome: Outcome = 'done'
  try {
    outcome = applySlice(replica)
  } catch (error) {
    poison(tree, error)
  }
  if (outcome !== 'done') {
    replica.isApplying = true
    void later(replica, outcome).then(() => {
      replica.isApplying = false
      apply(replica)
    })
  }
  if (tree.visibleSequence === before) return
  replica.options.onVisible?.(tree.visibleSequence)
  replica.shown()
}

/** `slice`: its time is up. `full`: flushes must make room first. */
type Outcome = 'done' | 'slice' | 'full'

function applySlice(replica: Applying): Outcome {
  const { tree, window, committed, options: { clock, settings: { sliceMsMax, frozenMemtablesMax } } } = replica
  const untilMs = clock.monotonicMs() + sliceMsMax
  for (let entry = window.next; entry !== undefined && entry.lastSequence <= committed; entry = window.next) {
    const fate = fateOf(replica, entry)
    if (fate === 'waits') return 'done'
    if (isFull(tree) && tree.frozen.length > frozenMemtablesMax) return 'full'
    try {
      if (fate === 'applies') applyEntry(replica, entry)
    } catch (error) {
      // Nothing of the entry was applied.
      if (error instanceof LsmtError && error.code === '53200') return 'full'
      throw error
    }
    tree.visibleSequence = entry.lastSequence
    window.pass()
    if (isFull(tree) && tree.frozen.length <= frozenMemtablesMax && freezeIfPossible(tree)) replica.flushSoon()
    if (clock.monotonicMs() >= untilMs) return 'slice'
  }
  return 'done'
}

function fateOf({ parts, released }: Applying, { baseSequence }: ReplicatedEntry): 'applies' | 'passes' | 'waits' {
  const part = parts.partAt(baseSequence)
  if (part === undefined) return 'applies'
  if (baseSequence > released) return 'waits'
  return parts.isAborted(part, released) ? 'passes' : 'applies'
}

function applyEntry(replica: Applying, { batch, baseSequence, lastSequence }: ReplicatedEntry): void {
  const { tree, parts } = replica
  applyBatch(tree, batch, baseSequence, { whole: true })
  const part = parts.partAt(baseSequence)
  if (part !== undefined) parts.see(part)
  if ((viewOf(batch).getUint32(20, true) & batchFlag.tables) !== 0) replica.tablesSequence = lastSequence
}

const reliefMsMax = 100

/** Never rejects. */
async function later({ tree, flushSoon, options: { clock } }: Applying, outcome: 'slice' | 'full'): Promise<void> {
  if (outcome === 'slice') return await new Promise((resolve) => setImmediate(resolve))
  if (tree.frozen.length === 0) freezeIfPossible(tree)
  flushSoon()
  const relief = waitFor(tree, -1).catch((error: unknown) => {
    noteTrouble(tree, 'waiting for a flush', error)
    return clock.sleep(reliefMsMax)
  })
  // Memory may come free by other ways too, such as a snapshot that ends.
  await Promise.race([relief, clock.sleep(reliefMsMax)])
}
