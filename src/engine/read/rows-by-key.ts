/**
 * Rows of one table by key: what does not depend on the key is looked up once, so that a read of a row in memory writes the
 * key's bytes, asks one tree, and makes values of what that found. A class, so that whatever is read by key goes one way.
 */
import { cellStates, newestOutcomes } from '../../kernel/column.ts'
import type { LinearMemory } from '../../kernel/linear-memory.ts'
import type { PointFetch, ReadStats, RowHandle, ValueHints } from '../../lsm/tree.ts'
import { checkKey } from '../codec/key-codec.ts'
import { kindsAsText, readCellAt, readRow } from '../codec/read-row.ts'
import type { ReadKind, RowReader } from '../codec/read-row.ts'
import type { EngineRow, EngineSnapshot, EngineValue, RowsByKey } from '../engine.ts'
import type { KeyScratch } from '../shards/key-scratch.ts'
import { shardsOf } from '../shards/shard-snapshot.ts'
import type { ShardSnapshot } from '../shards/shard-snapshot.ts'
import type { Shards } from '../shards/shards.ts'
import type { TableAccess } from '../tables/table-access.ts'
import { isFetch, lookUp } from './point-read.ts'

type MaybeRow = EngineRow | undefined

export class ShardRowsByKey implements RowsByKey, RowReader {
  readonly access: TableAccess
  readonly columns: readonly number[]
  readonly asText: ReadonlySet<number> | undefined
  readonly kinds: readonly ReadKind[]
  readonly placeInKey: readonly number[]
  private readonly shards: Shards
  private readonly keys: KeyScratch
  private readonly memory: LinearMemory
  private readonly hints: ValueHints
  private readonly first: number
  private readonly firstKind: ReadKind
  private readonly firstIsKey: boolean
  /** A short text of ASCII is a key as it stands. */
  private readonly takesShortText: boolean

  constructor(shards: Shards, access: TableAccess, columns: readonly number[], asText: ReadonlySet<number> | undefined) {
    const { placeInKey, keyInRow, keys: { form, takesShortText } } = access
    this.access = access
    this.columns = columns
    this.asText = asText
    this.kinds = kindsAsText(access.kinds, asText)
    this.placeInKey = placeInKey
    this.first = columns[0] ?? -1
    this.firstKind = this.kinds[this.first] ?? 'i64'
    this.firstIsKey = columns.length === 0 || placeInKey[this.first]! >= 0
    this.shards = shards
    this.keys = shards.keys
    this.memory = shards.kernel.memory
    this.hints = { hash: shards.keys.firstHash, column: columns.find((ordinal) => placeInKey[ordinal]! < 0) ?? -1, cell: shards.keys.cell }
    this.takesShortText = form === 'bytes' && (takesShortText || asText?.has(keyInRow[0]!) === true)
  }

  get(given: EngineSnapshot | undefined, key: EngineRow, stats?: ReadStats): MaybeRow | Promise<MaybeRow> {
    const ready = given && (given as ShardSnapshot).ready
    if (ready === undefined && this.takesShortText && key.length === 1) {
      const only = key[0]
      this.shards.assertOpen()
      if (typeof only === 'string' && this.keys.writeShortText(only)) {
        const found = this.lookUp(given, stats)
        if (found === undefined) return undefined
        if (!isFetch(found)) return readRow(this.memory, this, found, this.columns, key)
      }
    }
    const checked = checkKey(this.access.keys, key, this.asText)
    return ready === undefined ? this.find(given, checked, stats) : ready.then(() => this.find(given, checked, stats))
  }

  valueAtHand(key: string): EngineValue | undefined | false {
    if (!this.takesShortText || this.firstIsKey) return false
    this.shards.assertOpen()
    if (!this.keys.writeShortText(key)) return false
    const { keys, shards, access: { schema: { tableId } } } = this, shard = keys.shardOf(0), tree = shards.trees[shard]!
    if (tree.getValue === undefined) return false
    const state = tree.getValue(shards.newest(shard), tableId, keys.addressOf(0), keys.byteLengthOf(0), this.hints)
    if (state < 0) return undefined
    return state === cellStates.isUnread ? false : readCellAt(this.memory, this.firstKind, keys.cell, state)
  }

  valuesAtHand(texts: readonly unknown[]): (EngineValue | undefined | false)[] {
    const { shards: { keys: { together } }, hints: { column } } = this, values: (EngineValue | undefined | false)[] = []
    this.shards.assertOpen()
    for (let from = 0; from < texts.length; from = values.length) {
      const count = this.takesShortText && !this.firstIsKey ? together.write(texts, from) : 0
      if (count > 0 && this.mayAsk(count)) {
        together.find(count, column)
        for (let i = 0; i < count; i++) values.push(this.valueTogether(i))
      } else for (let i = 0; i < Math.max(1, count); i++) values.push(false)
    }
    return values
  }

  /** Has the trees of the first keys that are looked up together say where they are to be found; false where one cannot. */
  private mayAsk(count: number): boolean {
    const { shards, shards: { keys: { together } }, access: { schema: { tableId } } } = this
    for (let i = 0; i < count; i++) {
      const shard = together.shardOf(i), tree = shards.trees[shard]!
      if (tree.askNewest === undefined || !tree.askNewest(shards.newest(shard), tableId, together.askedAt(i))) return false
    }
    return true
  }

  private valueTogether(index: number): EngineValue | undefined | false {
    const { together } = this.keys, row = together.rowOf(index), cell = together.cellOf(index)
    if (row === newestOutcomes.isAbsent || row === newestOutcomes.isDeleted) return undefined
    const state = row === newestOutcomes.isUnknown ? cellStates.isUnread : this.memory.u32[(cell >>> 2) + 2]!
    return state === cellStates.isUnread ? false : readCellAt(this.memory, this.firstKind, cell, state)
  }

  /** Reads a key that was checked; a row that must be fetched first is awaited and asked for again. */
  private find(given: EngineSnapshot | undefined, key: EngineRow, stats: ReadStats | undefined): MaybeRow | Promise<MaybeRow> {
    const { access, memory, columns } = this
    this.shards.assertOpen()
    this.keys.writeOne(access, key, access.keyInKey)
    const found = this.lookUp(given, stats)
    if (found === undefined) return undefined
    if (!isFetch(found)) return readRow(memory, this, found, columns, key)
    return found.fetch().then(() => {
      const answer = found.elsewhere?.answer()
      if (answer === undefined) return this.find(given, key, stats)
      this.shards.assertOpen()
      return answer.row && readRow(memory, this, answer.row, columns, key)
    })
  }

  private lookUp(given: EngineSnapshot | undefined, stats: ReadStats | undefined): RowHandle | PointFetch | undefined {
    return lookUp(this.shards, this.keys.shardOf(0), given && shardsOf(given), this.access, stats, this.hints)
  }
}
