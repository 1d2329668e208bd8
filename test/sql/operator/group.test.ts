import { describe, expect, test } from 'vitest'
import type { EngineRow } from '../../../src/engine/engine.ts'
import type { Bound, BoundAggregate } from '../../../src/sql/expression/bound.ts'
import { bigintType, numericType } from '../../../src/sql/expression/type.ts'
import { engineGroup } from '../../../src/sql/operator/engine/engine-group.ts'
import { group } from '../../../src/sql/operator/group.ts'
import type { GroupNode, QueryNode, ScanNode } from '../../../src/sql/operator/node.ts'
import { open } from '../../../src/sql/operator/open.ts'
import { newQueryRun } from '../../../src/sql/operator/query-run.ts'
import type { QueryRun, Stream } from '../../../src/sql/operator/query-run.ts'
import { createMemoryPool } from '../../../src/sql/operator/spill/query-memory.ts'
import { newQueryStats } from '../../../src/sql/result.ts'
import { LsmtError } from '../../../src/errors.ts'
import { newTable } from '../../engine/engine-fixtures.ts'
import { testEngines } from '../test-engines.ts'

const column = (index: number): Bound => ({ kind: 'column', place: { index }, name: `c${index}`, type: bigintType, at: -1 })
const call = (name: string, index?: number, distinct = false): BoundAggregate => ({ function: name, distinct, argument: index === undefined ? undefined : column(index), type: bigintType })
const average = (distinct = false): BoundAggregate => ({ ...call('avg', 2, distinct), type: numericType(16) })
const nameOf = (row: EngineRow): string => row.map(String).join()
const aggregates = [call('count'), call('count', 2), call('count', 2, true), call('sum', 2), call('sum', 2, true), call('min', 2, true), average(), average(true)]

describe.each(testEngines)('GROUP BY over %s', (_, openEngine) => {
  test.each([[[]], [[1]], [[1, 2]]])('by columns %j is the same by the engine and by rows', async (keys) => {
    const engine = await openEngine()
    const table = await engine.createTable(newTable('t', { id: 'bigint', a: 'bigint', b: 'bigint' }, ['id']))
    await engine.insert(table, Array.from({ length: 120 }, (_unused, i) => [i, i % 5 === 0 ? null : i % 3, i % 7 === 0 ? null : i % 11]), 'insert')
    await engine.flush()
    const scan: QueryNode = { kind: 'scan', alias: table.name, table, terms: [], hints: [], columns: [0, 1, 2], ordered: false, reverse: false }
    const node = (input: QueryNode): GroupNode => ({ kind: 'group', input, keys: keys.map(column), aggregates })
    const snapshot = engine.snapshot()
    const run = newQueryRun({
      engine, signal: undefined, nowMicros: 0, stats: newQueryStats(), limits: { memoryBytesMax: 1 << 20, spillBytesMax: 1 << 20, pool: createMemoryPool(1 << 20) },
      // No literal is read.
      values: {} as QueryRun['values'],
    })
    run.snapshot = snapshot
    const rowsOf = async (grouping: GroupNode): Promise<EngineRow[]> => {
      const rows: EngineRow[] = []
      for await (const batch of open(grouping, run)()) rows.push(...batch)
      return rows.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
    }
    // Rows are distinct by their ids: the operator between changes nothing, but is not for the engine.
    const byRows = node({ kind: 'distinct', input: scan })
    expect([engineGroup(node(scan), run), engineGroup(byRows, run)]).toEqual([expect.anything(), undefined])
    expect(await rowsOf(node(scan))).toEqual(await rowsOf(byRows))
    snapshot.release()
    await engine.close()
  })
})

describe('rows that take over where the engine gives up', () => {
  /** COUNT(*) of a table of four rows, two for each first column of the key, on an engine that has no memory for it, or has. */
  async function opened(givesUp: boolean): Promise<{ readonly scan: ScanNode; readonly node: GroupNode; readonly run: QueryRun; close(): Promise<void> }> {
    const engine = await testEngines[0]![1]()
    const table = await engine.createTable(newTable('t', { a: 'bigint', id: 'bigint' }, ['a', 'id']))
    await engine.insert(table, [[1, 1], [1, 2], [2, 1], [2, 2]], 'insert')
    const scan: ScanNode = { kind: 'scan', alias: table.name, table, terms: [], hints: [], columns: [0, 1], ordered: false, reverse: false }
    const refusing = new Proxy(engine, {
      get: (of, name) => (givesUp && name === 'aggregate' ? () => Promise.reject(new LsmtError('53200', 'no memory')) : Reflect.get(of, name)),
    })
    const limits = { memoryBytesMax: 1 << 20, spillBytesMax: 1 << 20, pool: createMemoryPool(1 << 20) }
    const run = newQueryRun({ engine: refusing, signal: undefined, nowMicros: 0, stats: newQueryStats(), limits, values: {} as QueryRun['values'] })
    run.snapshot = engine.snapshot()
    return {
      scan, run, node: { kind: 'group', input: scan, keys: [], aggregates: [call('count')] },
      async close() {
        run.snapshot?.release()
        await engine.close()
      },
    }
  }

  async function rowsOf(stream: Stream): Promise<readonly EngineRow[]> {
    const rows: EngineRow[] = []
    for await (const batch of stream()) rows.push(...batch)
    return rows
  }

  test('are those of the keys that were looked up when operators were made', async () => {
    const { scan, node, run, close } = await opened(true)
    run.lookups.set(scan, [[1]])
    const stream = open(node, run)
    run.lookups.delete(scan)
    expect(await rowsOf(stream)).toEqual([[2]])
    await close()
  })

  test('are not opened before', async () => {
    for (const givesUp of [false, true]) {
      const { scan, node, run, close } = await opened(givesUp)
      let inputs = 0
      const stream = group(node, () => {
        inputs++
        return open(scan, run)
      }, run)
      expect(inputs).toBe(0)
      for (let again = 0; again < 2; again++) expect(await rowsOf(stream)).toEqual([[4]])
      expect(inputs).toBe(givesUp ? 1 : 0)
      await close()
    }
  })
})
