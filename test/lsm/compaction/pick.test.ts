import { describe, expect, it } from 'vitest'
import { pickCompaction, planWholeTable, scoreOf } from '../../../src/lsm/compaction/pick.ts'
import type { CompactionPlan, MetaLevels } from '../../../src/lsm/compaction/pick.ts'
import type { TableMeta } from '../../../src/lsm/table/table.ts'

const settings = { level0RunsCompact: 4, level1Bytes: 1000, levelSizeRatio: 10, tableFileBytes: 400 }

let fileNumber = 0
function file(minKey: string, maxKey: string, more: Partial<TableMeta> = {}): TableMeta {
  return {
    fileNumber: ++fileNumber, tableId: 1, byteLength: 300, tailBytes: 64, rowCount: 10, tombstoneCount: 0, rowGroupCount: 1,
    minKey: Buffer.from(minKey), maxKey: Buffer.from(maxKey), minSequence: 1, maxSequence: 2, rangeTombstoneCount: 0, ...more,
  }
}

const pick = (levels: MetaLevels): CompactionPlan | undefined => pickCompaction(new Map([[1, levels]]), settings)
const numbers = (plan: CompactionPlan | undefined): number[][] | undefined => plan?.runs.map((run) => run.map((each) => each.fileNumber))

describe('picking compactions', () => {
  it('leaves levels alone that are within their targets', () => {
    expect(pick([[file('a', 'z'), file('a', 'z')], [file('a', 'm')]])).toBeUndefined()
    expect(pick([])).toBeUndefined()
  })

  it('merges all runs of level 0, newest first, with what they overlap below', () => {
    const newest = [file('d', 'f'), file('c', 'e'), file('b', 'g'), file('c', 'd')]
    const below = [file('a', 'b'), file('f', 'h'), file('x', 'z')]
    const plan = pick([newest, below])
    expect(numbers(plan)).toEqual([...newest.map((each) => [each.fileNumber]), [below[0]!.fileNumber, below[1]!.fileNumber]])
    expect(plan).toMatchObject({ outputLevel: 1, isLastLevel: true, isMove: false })
  })

  it('keeps tombstones while an older run below has keys in the range of any input', () => {
    const newest = Array.from({ length: 4 }, () => file('d', 'f'))
    expect(pick([newest, [file('e', 'k')], [file('j', 'l')]])).toMatchObject({ isLastLevel: false })
    expect(pick([newest, [file('e', 'k')], [file('l', 'm')]])).toMatchObject({ isLastLevel: true })
  })

  it('takes the level furthest above its target first', () => {
    const newest = Array.from({ length: 4 }, () => file('a', 'z'))
    const big = file('a', 'c', { byteLength: 5000 })
    expect(pick([newest, [big]])).toMatchObject({ outputLevel: 2, runs: [[big]] })
    expect(scoreOf([newest, [big]], 0, settings)).toBe(1)
    expect(scoreOf([newest, [big], [big]], 2, settings)).toBe(0.5)
  })

  it('takes the file of a level for which, by its bytes, least is rewritten below', () => {
    const below = [file('a', 'b'), file('c', 'd'), file('g', 'h'), file('k', 'm'), file('n', 'p')]
    // Two files below a small one; one that reaches into two neighbours; two, of which it is a larger part than they.
    const files = [file('a', 'c', { byteLength: 300 }), file('d', 'g', { byteLength: 400 }), file('k', 'o', { byteLength: 500 })]
    expect(numbers(pick([[], files, below]))).toEqual([[files[2]!.fileNumber], [below[3]!.fileNumber, below[4]!.fileNumber]])
    const free = file('i', 'j', { byteLength: 50 })
    expect(numbers(pick([[], [...files.slice(0, 2), free, files[2]!], below]))).toEqual([[free.fileNumber]])
  })

  it('moves files that overlap nothing, unless they are small or hold tombstones that can go', () => {
    const move = pick([[], [file('a', 'c', { byteLength: 1200 })], [file('d', 'f')]])
    expect(move).toMatchObject({ isMove: true, outputLevel: 2 })
    expect(pick([[], [file('a', 'c', { byteLength: 1200, tombstoneCount: 1 })]])).toMatchObject({ isMove: false, isLastLevel: true })
    expect(pick([[], [file('a', 'c', { byteLength: 1200, tombstoneCount: 1 })], [], [file('b', 'b')]])).toMatchObject({ isMove: true, isLastLevel: false })
    const small = Array.from({ length: 30 }, (_, i) => file(String.fromCharCode(97 + i), String.fromCharCode(97 + i), { byteLength: 40 }))
    expect(pick([[], small])).toMatchObject({ isMove: false })
    const disjoint = ['g', 'e', 'c', 'a'].map((key) => file(key, key))
    expect(pick([disjoint])).toMatchObject({ isMove: true, outputLevel: 1 })
    expect(pick([[...disjoint.slice(1), file('d', 'h')]])).toMatchObject({ isMove: false })
  })

  it('takes files that touch at a boundary into the same merge', () => {
    const newest = Array.from({ length: 4 }, () => file('c', 'f'))
    const touching = file('f', 'k')
    expect(numbers(pick([newest, [touching]]))?.at(-1)).toEqual([touching.fileNumber])
  })

  it('merges down or rewrites files of tombstones when nothing else is to do', () => {
    const deleted = file('a', 'c', { tombstoneCount: 6 })
    expect(pick([[], [deleted], [file('b', 'd')]])).toMatchObject({ outputLevel: 2, isLastLevel: true, isMove: false })
    expect(pick([[], [deleted], [file('x', 'z')]])).toMatchObject({ runs: [[deleted]], outputLevel: 1, isLastLevel: true })
    const covered = file('a', 'c', { rangeTombstoneCount: 1 })
    expect(pick([[], [], [covered], [file('b', 'b')]])).toMatchObject({ outputLevel: 3 })
  })

  it('brings a whole table into its last level once', () => {
    const levels = [[file('a', 'c'), file('b', 'd')], [file('a', 'b'), file('e', 'f')], [], [file('c', 'e')]]
    expect(numbers(planWholeTable(1, levels))).toEqual([...levels[0]!.map((each) => [each.fileNumber]), levels[1]!.map((each) => each.fileNumber), [levels[3]![0]!.fileNumber]])
    expect(planWholeTable(1, levels)).toMatchObject({ outputLevel: 3, isLastLevel: true })
    expect(planWholeTable(1, [[], [file('a', 'b')]])).toBeUndefined()
    expect(planWholeTable(1, [[], [file('a', 'b', { tombstoneCount: 1 })]])).toMatchObject({ outputLevel: 1 })
    expect(planWholeTable(1, [[file('a', 'b')]])).toMatchObject({ outputLevel: 1 })
    expect(planWholeTable(1, [])).toBeUndefined()
  })
})
