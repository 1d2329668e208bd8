/**
 * Answers of a subquery that depends on rows further out by equalities alone, by the values that these compare with: its
 * rows are read once, and held as far as the answer needs them.
 */
import type { EngineRow, EngineValue } from '../../../engine/engine.ts'
import { LsmtError } from '../../../errors.ts'
import type { BoundSubquery } from '../../expression/bound.ts'
import { keyOf } from '../../expression/value/order.ts'
import { pace } from '../query-run.ts'
import type { QueryRun, Stream } from '../query-run.ts'
import { hashOfKey } from '../spill/key-hash.ts'
import { keyBytes, lookUp, mapBytes, newKeyMap, put } from '../spill/key-map.ts'
import type { KeyMap } from '../spill/key-map.ts'
import { valueBytes } from '../spill/query-memory.ts'
import type { MemoryShare } from '../spill/query-memory.ts'

export interface AnswerIndex {
  /** The subquery for a row whose equalities have these values; `operand` is the left side of IN. */
  answer(keys: EngineRow, operand: EngineValue): EngineValue
}

/** More than one row was found for a key of a scalar subquery. */
const several = Symbol('several rows')

interface Members {
  readonly values: Set<EngineValue>
  hasNull: boolean
}

type Found = EngineValue | typeof several | Members
type Held = KeyMap<Found>

/** Reads all of `rows`: a value, then the keys. undefined when memory has no room for the answers; what was taken is given back. */
export async function readAnswers(test: BoundSubquery['test'], rows: Stream, nothing: EngineValue, run: QueryRun, share: MemoryShare): Promise<AnswerIndex | undefined> {
  const held: Held = newKeyMap()
  const before = share.usedBytes
  for await (const batch of rows()) {
    await pace(run, batch.length)
    for (const [value, ...keys] of batch as readonly [EngineValue, ...EngineValue[]][]) {
      if (keys.includes(null) || share.take(note(test, held, keys, value))) continue
      share.give(share.usedBytes - before)
      return undefined
    }
  }
  return { answer: (keys, operand) => answerOf(test, keys.includes(null) ? undefined : lookUp(held, keys, hashOfKey(keys, keys.length)), nothing, operand) }
}

/** The bytes that it adds. */
function note(test: BoundSubquery['test'], held: Held, key: EngineRow, value: EngineValue): number {
  const hash = hashOfKey(key, key.length)
  const known = lookUp(held, key, hash)
  if (test === 'in') {
    const members = known === undefined ? { values: new Set<EngineValue>(), hasNull: false } : known as Members
    if (known === undefined) put(held, key, hash, members)
    const isNew = value !== null && !members.values.has(keyOf(value))
    if (isNew) members.values.add(keyOf(value))
    else if (value === null) members.hasNull = true
    return (known === undefined ? keyBytes(key, key.length) + mapBytes : 0) + (isNew ? keyBytes([value], 1) : 0)
  }
  if (known !== undefined) {
    if (test === 'scalar') put(held, key, hash, several)
    return 0
  }
  put(held, key, hash, test === 'exists' ? 1 : value)
  return keyBytes(key, key.length) + valueBytes(value)
}

function answerOf(test: BoundSubquery['test'], found: Found | undefined, nothing: EngineValue, operand: EngineValue): EngineValue {
  if (found === undefined) return nothing
  if (found === several) throw new LsmtError('21000', 'a subquery used as a value gave more than one row')
  if (test !== 'in') return found as EngineValue
  const { values, hasNull } = found as Members
  if (operand === null) return null
  return values.has(keyOf(operand)) ? 1 : hasNull ? null : 0
}
