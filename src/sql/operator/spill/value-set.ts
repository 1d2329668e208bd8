/** The values of an IN subquery: in memory, and those that do not fit there in a file that is gone through for many rows at once. */
import type { EngineValue, SpilledRun, SpillFile } from '../../../engine/engine.ts'
import { keyOf } from '../../expression/value/order.ts'
import { discardSpillFile, openSpillFile, pace } from '../query-run.ts'
import type { QueryRun, Stream } from '../query-run.ts'
import { hashOfKey } from './key-hash.ts'
import { hasKey, keyBytes, newKeyMap, put } from './key-map.ts'
import type { KeyMap } from './key-map.ts'
import type { MemoryShare } from './query-memory.ts'

export interface ValueSet {
  readonly isEmpty: boolean
  readonly hasNull: boolean
  readonly isSpilled: boolean
  /** Which of the keys (as `keyOf` gives them) are not in the set. */
  missing(keys: ReadonlySet<EngineValue>): Promise<ReadonlySet<EngineValue>>
  /** For one key, when nothing is spilled. */
  has(key: EngineValue): boolean
  discard(): Promise<void>
}

/** The first column of the rows. */
export async function collectValues(stream: Stream, run: QueryRun, share: MemoryShare): Promise<ValueSet> {
  const held = newKeyMap<true>()
  const collecting: Collecting = { held, heldBytes: 0, hasNull: false, file: undefined, spilled: undefined }
  for await (const batch of stream()) {
    await pace(run, batch.length)
    const rest: EngineValue[] = []
    for (const [value] of batch) if (!add(collecting, share, value!)) rest.push(value!)
    if (rest.length > 0) await spill(collecting, run, rest)
  }
  const { heldBytes, hasNull, file, spilled } = collecting
  return {
    isEmpty: heldBytes === 0 && !hasNull && spilled === undefined,
    hasNull,
    isSpilled: spilled !== undefined,
    has: (key) => isHeld(held, key),
    missing: (keys) => missing(held, spilled, run, keys),
    async discard() {
      share.give(heldBytes)
      if (file !== undefined) await discardSpillFile(run, file)
    },
  }
}

interface Collecting {
  readonly held: KeyMap<true>
  heldBytes: number
  hasNull: boolean
  file: SpillFile | undefined
  spilled: SpilledRun | undefined
}

/** Whether the value is held now, or need not be. */
function add(collecting: Collecting, share: MemoryShare, value: EngineValue): boolean {
  if (value === null) {
    collecting.hasNull = true
    return true
  }
  const key = [keyOf(value)]
  const hash = hashOfKey(key, 1)
  if (hasKey(collecting.held, key, hash)) return true
  const bytes = keyBytes(key, 1)
  if (!share.take(bytes)) return false
  collecting.heldBytes += bytes
  put(collecting.held, key, hash, true)
  return true
}

function isHeld(held: KeyMap<true>, value: EngineValue): boolean {
  const key = [value]
  return hasKey(held, key, hashOfKey(key, 1))
}

async function spill(collecting: Collecting, run: QueryRun, values: readonly EngineValue[]): Promise<void> {
  collecting.file ??= openSpillFile(run)
  collecting.spilled ??= collecting.file.newRun()
  await collecting.spilled.append(values.map((value) => [value]))
}

async function missing(held: KeyMap<true>, spilled: SpilledRun | undefined, run: QueryRun, keys: ReadonlySet<EngineValue>): Promise<ReadonlySet<EngineValue>> {
  const left = new Set([...keys].filter((key) => !isHeld(held, key)))
  if (spilled === undefined || left.size === 0) return left
  for await (const block of spilled.read()) {
    await pace(run, block.length)
    for (const [value] of block) left.delete(keyOf(value!))
    if (left.size === 0) break
  }
  return left
}
