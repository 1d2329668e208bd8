/**
 * Power is lost at every operation of the disk, one after the other, in a history with flushes, compactions and dropped
 * tables. What is found again must be the state after some whole number of batches: all that were acknowledged, at most
 * those that were appended, and nothing else.
 */
import { describe, expect, it } from 'vitest'
import { createBatchBuilder } from '../../../src/lsm/batch-builder.ts'
import type { TableLayout } from '../../../src/lsm/layout.ts'
import type { Tree } from '../../../src/lsm/tree.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import type { Random } from '../../../src/runtime/random.ts'
import { changingKinds, createFaultyStorage } from '../../../src/storage/faulty-storage.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import type { Kernel } from '../../../src/kernel/kernel.ts'
import { fullTests, openTestKernel } from '../../kernel/both-kinds.ts'
import { openTestTree, steppingClock, tinySettings } from './open-test-tree.ts'
import { copyModel, emptyModel, modelPut, modelRangeDelete, valueText } from './tree-model.ts'
import type { TreeModel } from './tree-model.ts'
import { encodeKey, encodeRow, layouts, randomRow, readPage } from './tree-rows.ts'

const MiB = 1024 * 1024
const batches = 36
const settings = { ...tinySettings, memtableBytesMax: 20 * 1024, logSegmentBytes: 4096 }

interface History {
  /** The model after each batch; the first is empty. */
  readonly states: TreeModel[]
  acknowledged: number
}

const openKernel = (): Kernel => openTestKernel('wasm', 6 * MiB)

/** Appends one random batch and remembers what it makes of the model. */
function appendRandom(tree: Tree, history: History, random: Random): Promise<void> {
  const number = history.states.length
  const model = copyModel(history.states[number - 1]!)
  const builder = createBatchBuilder()
  if (number === 1) for (const layout of layouts) define(builder, model, layout)
  if (number === 20) {
    builder.dropTable(7)
    model.layouts.delete(7)
    model.tables.delete(7)
    define(builder, model, { ...layouts[1]!, tableId: 70_001 })
  }
  const known = [...model.layouts.values()]
  for (let i = 0; i < 40; i++) {
    const layout = known[random.below(known.length)]!
    const row = randomRow(random, layout, 150)
    const key = encodeKey(layout, row)
    const choice = random.below(30)
    if (choice < 22) {
      builder.put(layout.tableId, key, encodeRow(layout, row))
      modelPut(model, layout, row)
    } else if (choice < 29) {
      builder.delete(layout.tableId, key)
      model.tables.get(layout.tableId)!.delete(Buffer.from(key).toString('hex'))
    } else {
      const end = encodeKey(layout, randomRow(random, layout, 150))
      builder.rangeDelete(layout.tableId, key, end)
      modelRangeDelete(model, layout.tableId, key, end)
    }
  }
  history.states.push(model)
  return tree.append(builder.finish()).applied.then(() => {
    history.acknowledged = Math.max(history.acknowledged, number)
  })
}

function define(builder: ReturnType<typeof createBatchBuilder>, model: TreeModel, layout: TableLayout): void {
  builder.defineTable(layout)
  model.layouts.set(layout.tableId, layout)
  model.tables.set(layout.tableId, new Map())
}

/** Lives until the end or the crash; the tree is left as it is. */
async function live(storage: Storage, seed: number, history: History): Promise<void> {
  const random = seededRandom(seed)
  let tree: Tree | undefined
  try {
    tree = await openTestTree(openKernel(), storage, { settings, clock: steppingClock() })
    while (history.states.length <= batches) {
      const wave = Array.from({ length: 1 + random.below(3) }, () => appendRandom(tree!, history, random))
      await Promise.all(wave)
      if (random.below(6) === 0) await tree.flush()
    }
    await tree.compact()
    await tree.close()
  } catch (error) {
    if (!(storage as ReturnType<typeof createFaultyStorage>).crashed) throw error
    await tree?.close().catch(() => undefined)
  }
}

async function contents(kernel: Kernel, tree: Tree): Promise<string> {
  const snapshot = tree.snapshot()
  const lines: string[] = []
  for (const layout of [...tree.layouts.values()].sort((a, b) => a.tableId - b.tableId)) {
    lines.push(`table ${layout.tableId}`)
    const cursor = tree.scan(snapshot, { tableId: layout.tableId, columns: layout.columns.map((_, ordinal) => ordinal), predicate: [] })
    for (let page = await cursor.next(); page !== undefined; page = await cursor.next()) for (const { key, values } of readPage(kernel, page)) lines.push(`${key}: ${values.map(valueText).join(' ')}`)
    cursor.close()
  }
  snapshot.release()
  return lines.join('\n')
}

function modelContents({ layouts: known, tables }: TreeModel): string {
  return [...known.values()].sort((a, b) => a.tableId - b.tableId).flatMap(({ tableId }) => [
    `table ${tableId}`,
    ...[...tables.get(tableId)!].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, { row }]) => `${key}: ${row.map(valueText).join(' ')}`),
  ]).join('\n')
}

/** What is found again, as the number of the batch it is the state after. */
async function expectSomeState(storage: Storage, history: History, context: string): Promise<void> {
  const kernel = openKernel()
  const tree = await openTestTree(kernel, storage, { settings })
  const found = await contents(kernel, tree)
  const candidates = history.states.flatMap((model, number) => (modelContents(model) === found ? [number] : []))
  expect(candidates.length, `${context}: the state after no whole batch; ${history.acknowledged} of ${history.states.length - 1} were acknowledged`).toBeGreaterThan(0)
  expect(Math.max(...candidates), `${context}: lost acknowledged batches`).toBeGreaterThanOrEqual(history.acknowledged)
  // Life goes on from there, and nothing of the lost past comes back.
  const next: History = { states: [history.states[Math.max(...candidates)]!], acknowledged: 0 }
  if (next.states[0]!.layouts.size > 0) {
    await appendRandom(tree, { ...next, states: (next.states.unshift(...Array.from({ length: 30 }, () => emptyModel())), next.states) }, seededRandom(1))
    await tree.flush()
  }
  await tree.close()
  const again = openKernel()
  const reopened = await openTestTree(again, storage, { settings })
  expect(await contents(again, reopened), `${context}: after going on`).toBe(modelContents(next.states.at(-1)!))
  await reopened.close()
}

const seeds = fullTests ? [1, 2, 3, 4, 5, 6, 7, 8] : [1]

describe('a tree under loss of power', () => {
  it.each(seeds)('keeps whole batches, and all that were acknowledged, seed %i', async (seed) => {
    const dryHistory: History = { states: [emptyModel()], acknowledged: 0 }
    const dry = createFaultyStorage({ seed })
    await live(dry, seed, dryHistory)
    expect(dryHistory.acknowledged).toBe(dryHistory.states.length - 1)
    const points = dry.operations.filter(({ kind }) => changingKinds.includes(kind))
    expect(points.some(({ kind, name }) => kind === 'delete' && name.startsWith('sst/'))).toBe(true)
    expect(points.some(({ kind, name }) => kind === 'delete' && name.startsWith('wal/'))).toBe(true)
    expect(points.filter(({ kind, name }) => kind === 'publish' && name.startsWith('sst/')).length).toBeGreaterThan(5)
    // Every third in the everyday run; the full one visits them all.
    for (const { number, kind, name } of points.filter((_, i) => fullTests || i % 3 === seed % 3)) {
      const history: History = { states: [emptyModel()], acknowledged: 0 }
      const disk = createFaultyStorage({ seed, crashAtOperation: number })
      await live(disk, seed, history)
      expect(disk.crashed, `operation ${number}`).toBe(true)
      await expectSomeState(disk.crash({ seed: seed + number }), history, `seed ${seed}, crash at operation ${number} (${kind} ${name})`)
    }
  }, 600_000)
})
