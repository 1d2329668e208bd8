/**
 * What a fill at random writes to table files, by the picker alone over files of nothing but sizes and ranges: a hundred
 * flushes, whatever they bring spread evenly over the keys that they have.
 */
import { expect, it } from 'vitest'
import { pickCompaction } from '../../../src/lsm/compaction/pick.ts'
import type { CompactionPlan, MetaLevels } from '../../../src/lsm/compaction/pick.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import type { TableMeta } from '../../../src/lsm/table/table.ts'

const flushBytes = 100_000
const settings = { level0RunsCompact: 4, level1Bytes: 10 * flushBytes, levelSizeRatio: 10, tableFileBytes: 5 * flushBytes }
const keyMax = 2 ** 48

let fileNumber = 0
function fileOf(byteLength: number, from: number, to: number): TableMeta {
  return {
    fileNumber: ++fileNumber, tableId: 1, byteLength, tailBytes: 64, rowCount: byteLength, tombstoneCount: 0, rowGroupCount: 1,
    minKey: keyOf(from), maxKey: keyOf(to), minSequence: 1, maxSequence: 2, rangeTombstoneCount: 0,
  }
}

function keyOf(key: number): Uint8Array {
  const bytes = Buffer.alloc(6)
  bytes.writeUIntBE(Math.floor(key), 0, 6)
  return bytes
}

const placeOf = (key: Uint8Array): number => Buffer.from(key).readUIntBE(0, 6)

/** Files of the inputs' bytes, cut by size: bytes are as dense as those of all inputs that are there. */
function merged(inputs: readonly TableMeta[]): readonly TableMeta[] {
  const ranges = inputs.map(({ minKey, maxKey, byteLength }) => ({ from: placeOf(minKey), to: placeOf(maxKey), byteLength }))
  const edges = [...new Set(ranges.flatMap(({ from, to }) => [from, to]))].toSorted((a, b) => a - b)
  const outputs: TableMeta[] = []
  let start = edges[0]!, bytes = 0
  for (const [i, to] of edges.slice(1).entries()) {
    let from = edges[i]!
    const density = ranges.reduce((sum, range) => (range.from <= from && range.to >= to ? sum + range.byteLength / (range.to - range.from) : sum), 0)
    while (density > 0 && bytes + density * (to - from) >= settings.tableFileBytes) {
      from += (settings.tableFileBytes - bytes) / density
      outputs.push(fileOf(settings.tableFileBytes, start, from - 1))
      start = from
      bytes = 0
    }
    bytes += density * (to - from)
  }
  return bytes < 1 ? outputs : [...outputs, fileOf(Math.round(bytes), start, edges.at(-1)!)]
}

function apply(levels: MetaLevels, { runs, outputLevel }: CompactionPlan, outputs: readonly TableMeta[]): MetaLevels {
  const inputs = new Set(runs.flat())
  const left = Array.from({ length: Math.max(levels.length, outputLevel + 1) }, (_, level) => (levels[level] ?? []).filter((file) => !inputs.has(file)))
  return left.map((files, level) => (level === outputLevel ? [...files, ...outputs].toSorted((a, b) => placeOf(a.minKey) - placeOf(b.minKey)) : files))
}

/** Bytes written by each byte that was flushed; the most runs that a read had to ask. */
function fillAtRandom(flushes: number): { readonly amplification: number; readonly runsMax: number } {
  const random = seededRandom(5)
  let levels: MetaLevels = [[]], written = 0, runsMax = 0
  for (let i = 0; i < flushes; i++) {
    levels = [[fileOf(flushBytes, random.below(1e6), keyMax - 1 - random.below(1e6)), ...levels[0]!], ...levels.slice(1)]
    written += flushBytes
    for (let plan = pickCompaction(new Map([[1, levels]]), settings); plan !== undefined; plan = pickCompaction(new Map([[1, levels]]), settings)) {
      const outputs = plan.isMove ? plan.runs.flat() : merged(plan.runs.flat())
      if (!plan.isMove) for (const { byteLength } of outputs) written += byteLength
      levels = apply(levels, plan, outputs)
    }
    runsMax = Math.max(runsMax, levels[0]!.length + levels.slice(1).filter((files) => files.length > 0).length)
  }
  return { amplification: written / (flushes * flushBytes), runsMax }
}

it('writes each byte of a hundred flushes eight times or less, and never has more than six runs', () => {
  const { amplification, runsMax } = fillAtRandom(100)
  expect(amplification).toBeLessThan(8)
  expect(runsMax).toBeLessThanOrEqual(6)
})

it('writes those of a thousand sixteen times or less', () => {
  expect(fillAtRandom(1_000).amplification).toBeLessThan(16)
})
