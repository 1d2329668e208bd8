/**
 * Picks the next compaction of a tree: leveled compaction (LevelDB, RocksDB), a table at a time, by score. Pure: levels
 * in, a plan out, so that every choice can be tested without a tree.
 *
 * Level 0 is scored by its number of runs, deeper levels by their bytes against their target. A level 0 compaction
 * takes all runs of level 0; a deeper one takes one file, the one for which least is rewritten below, and what it
 * overlaps there. Files that would be moved unchanged are only renamed to the next level in the manifest. When no level is over
 * its target, files that are mostly tombstones are merged down, so that deleted rows give back their space.
 */
import { compareBytes } from '../keys/key-bytes.ts'
import type { TreeSettings } from '../../settings.ts'
import { rowGroupBytesOf } from '../table/table.ts'
import type { TableMeta } from '../table/table.ts'

export type PickSettings = Pick<TreeSettings, 'level0RunsCompact' | 'level1Bytes' | 'levelSizeRatio' | 'tableFileBytes'> & {
  /** What a compaction may keep pinned of its runs, of each a row group at a time; absent = all of them fit. */
  readonly pinnedBytesMax?: number
}

export type MetaLevels = readonly (readonly TableMeta[])[]

export interface CompactionPlan {
  readonly tableId: number
  /** Newest first; each run's files in key order. */
  readonly runs: readonly (readonly TableMeta[])[]
  readonly outputLevel: number
  readonly isLastLevel: boolean
  /** The inputs need no merge and change their level as they are. */
  readonly isMove: boolean
}

export const levelMax = 6

interface Range {
  readonly min: Uint8Array
  readonly max: Uint8Array
}

export function pickCompaction(tables: ReadonlyMap<number, MetaLevels>, settings: PickSettings): CompactionPlan | undefined {
  let best: { readonly tableId: number; readonly level: number; readonly score: number } | undefined
  for (const [tableId, levels] of tables) {
    for (let level = 0; level < Math.min(levels.length, levelMax); level++) {
      const score = scoreOf(levels, level, settings)
      if (score >= 1 && (best === undefined || score > best.score)) best = { tableId, level, score }
    }
  }
  if (best === undefined) return pickTombstones(tables, settings)
  const levels = tables.get(best.tableId)!
  if (best.level === 0) return planLevel0(best.tableId, levels, settings)
  return planFile(best.tableId, levels, best.level, cheapestFile(levels[best.level]!, levels[best.level + 1] ?? []), settings)
}

export function scoreOf(levels: MetaLevels, level: number, settings: PickSettings): number {
  const files = levels[level] ?? []
  if (level === 0) return files.length / settings.level0RunsCompact
  return bytesOf(files) / (settings.level1Bytes * settings.levelSizeRatio ** (level - 1))
}

/** Bytes that stand where compactions are to take them away: a level 0 with too many runs, and what deeper levels have above their targets. */
export function debtBytes(tables: ReadonlyMap<number, MetaLevels>, settings: PickSettings): number {
  let debt = 0
  for (const levels of tables.values()) {
    for (let level = 0; level < Math.min(levels.length, levelMax); level++) {
      const score = scoreOf(levels, level, settings)
      if (score >= 1) debt += bytesOf(levels[level]!) * (level === 0 ? 1 : 1 - 1 / score)
    }
  }
  return Math.round(debt)
}

/** Everything of a table into its last level. undefined when it is there already, without anything deleted. */
export function planWholeTable(tableId: number, levels: MetaLevels): CompactionPlan | undefined {
  const used = levels.flatMap((files, level) => (files.length > 0 ? [level] : []))
  const last = used.at(-1)
  if (last === undefined) return undefined
  if (used.length === 1 && last > 0 && !levels[last]!.some(holdsTombstones)) return undefined
  const runs = runsOf(levels)
  return { tableId, runs, outputLevel: Math.max(1, last), isLastLevel: true, isMove: false }
}

function runsOf(levels: MetaLevels): readonly (readonly TableMeta[])[] {
  return levels.flatMap((files, level) => (level === 0 ? files.map((file) => [file]) : [files])).filter((run) => run.length > 0)
}

function planLevel0(tableId: number, levels: MetaLevels, settings: PickSettings): CompactionPlan {
  const newest = oldestRuns(levels[0]!, settings)
  const range = rangeOf(newest)
  const below = overlapping(levels[1] ?? [], range)
  const isLastLevel = isLast(levels, 2, rangeOf([...newest, ...below]))
  const disjoint = [...newest].sort((a, b) => compareBytes(a.minKey, b.minKey))
  const isMove = below.length === 0 && areDisjoint(disjoint) && newest.every((file) => canMove(file, isLastLevel, settings))
  const runs = [...newest.map((file) => [file]), ...(below.length > 0 ? [below] : [])]
  return { tableId, runs, outputLevel: 1, isLastLevel, isMove }
}

/** Of level 0, which is newest first, the oldest runs that can be merged at once; at least two, so that it goes on. */
function oldestRuns(runs: readonly TableMeta[], { pinnedBytesMax = Infinity }: PickSettings): readonly TableMeta[] {
  let from = runs.length
  for (let bytes = 0; from > 0; from--) {
    bytes += rowGroupBytesOf(runs[from - 1]!)
    if (bytes > pinnedBytesMax && runs.length - from >= 2) break
  }
  return runs.slice(from)
}

/** Merges the oldest runs of level 0 when they are too many to be merged at once; undefined when all fit. */
export function planTooManyRuns(tableId: number, levels: MetaLevels, settings: PickSettings): CompactionPlan | undefined {
  const runs = levels[0] ?? []
  return runs.length === 0 || oldestRuns(runs, settings).length === runs.length ? undefined : planLevel0(tableId, levels, settings)
}

function planFile(tableId: number, levels: MetaLevels, level: number, file: TableMeta, settings: PickSettings): CompactionPlan {
  const range = rangeOf([file])
  const below = overlapping(levels[level + 1] ?? [], range)
  const isLastLevel = isLast(levels, level + 2, rangeOf([file, ...below]))
  const isMove = below.length === 0 && canMove(file, isLastLevel, settings)
  return {
    tableId,
    runs: below.length === 0 ? [[file]] : [[file], below],
    outputLevel: level + 1,
    isLastLevel,
    isMove,
  }
}

/** A file that is half tombstones, at a level where nothing else asks for work: they are merged down, or dropped in place. */
function pickTombstones(tables: ReadonlyMap<number, MetaLevels>, settings: PickSettings): CompactionPlan | undefined {
  for (const [tableId, levels] of tables) {
    for (let level = 1; level < levels.length; level++) {
      const file = levels[level]!.find((each) => each.rangeTombstoneCount > 0 || each.tombstoneCount * 2 >= each.rowCount)
      if (file === undefined) continue
      const range = rangeOf([file])
      if (isLast(levels, level + 1, range)) return { tableId, runs: [[file]], outputLevel: level, isLastLevel: true, isMove: false }
      if (level < levelMax) return planFile(tableId, levels, level, file, settings)
    }
  }
  return undefined
}

/**
 * The file of a level for which, by each of its bytes, least is rewritten below (RocksDB's kMinOverlappingRatio). Of writes
 * at random that is a third less than taking the files in turn, which come to have more and more below them. In one pass
 * over both levels, which are in key order.
 */
function cheapestFile(files: readonly TableMeta[], below: readonly TableMeta[]): TableMeta {
  let cheapest = files[0]!, lowest = Infinity, first = 0
  for (const file of files) {
    while (first < below.length && compareBytes(below[first]!.maxKey, file.minKey) < 0) first++
    let bytes = 0
    for (let i = first; i < below.length && compareBytes(below[i]!.minKey, file.maxKey) <= 0; i++) bytes += below[i]!.byteLength
    const cost = bytes / file.byteLength
    if (cost < lowest) [cheapest, lowest] = [file, cost]
  }
  return cheapest
}

const bytesOf = (files: readonly TableMeta[]): number => files.reduce((sum, { byteLength }) => sum + byteLength, 0)
const holdsTombstones = (file: TableMeta): boolean => file.tombstoneCount > 0 || file.rangeTombstoneCount > 0

/** Small files are merged rather than moved, and tombstones that a rewrite would drop are not carried along. */
function canMove(file: TableMeta, isLastLevel: boolean, { tableFileBytes }: PickSettings): boolean {
  return file.byteLength * 8 >= tableFileBytes && !(isLastLevel && holdsTombstones(file))
}

function rangeOf(files: readonly TableMeta[]): Range {
  let { minKey: min, maxKey: max } = files[0]!
  for (const file of files) {
    if (compareBytes(file.minKey, min) < 0) min = file.minKey
    if (compareBytes(file.maxKey, max) > 0) max = file.maxKey
  }
  return { min, max }
}

function overlapping(files: readonly TableMeta[], { min, max }: Range): readonly TableMeta[] {
  return files.filter((file) => compareBytes(file.maxKey, min) >= 0 && compareBytes(file.minKey, max) <= 0)
}

function isLast(levels: MetaLevels, from: number, range: Range): boolean {
  return levels.slice(from).every((files) => overlapping(files, range).length === 0)
}

function areDisjoint(sorted: readonly TableMeta[]): boolean {
  return sorted.every((file, i) => i === 0 || compareBytes(sorted[i - 1]!.maxKey, file.minKey) < 0)
}
