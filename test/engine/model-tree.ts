/**
 * A Tree as plainly as it can be said, for tests of what stands on trees: sorted arrays of key and row bytes, decoded
 * by a decoder of its own. Durability is in the test's hands: `hold` keeps batches from becoming durable until `let`.
 */
import { LsmtError } from '../../src/errors.ts'
import { createAdmission } from '../../src/engine/shards/admission.ts'
import type { Admission } from '../../src/engine/shards/admission.ts'
import { noTreeStats } from '../../src/lsm/state/tree-stats.ts'
import { createMemtableMemory } from '../../src/lsm/state/memtable-memory.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { invariant } from '../../src/errors.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { assignBaseSequence, decodeLayout, operation, readBatchHeader, readOperations, tableIdBytes, tableIdOf } from '../../src/lsm/batch.ts'
import type { TableLayout } from '../../src/lsm/layout.ts'
import type { AggregatePartial, CommitGate, PhysicalValue, PointFetch, RowHandle, ScanRequest, Snapshot, Tree } from '../../src/lsm/tree.ts'
import { scanKinds } from '../../src/lsm/vector/scan-columns.ts'
import { evaluateExpression } from './model-expression.ts'
import type { RankValue } from '../../src/lsm/top/rank.ts'
import { decodeEntry, writePage } from './model-page.ts'
import type { Entry, PhysicalRow } from './model-page.ts'
import { compareValues, matchesValue, sumOfDoubles } from './model-values.ts'

type Contents = ReadonlyMap<number, readonly Entry[]>
interface ModelSnapshot extends Snapshot {
  readonly contents: Contents
}

export interface ModelTree extends Tree {
  /** From now on batches wait to become durable. */
  hold(): void
  /** Batches become durable again, those that wait at once. */
  let(): void
  /** Batches that were appended and did not become durable fail. */
  failWaiting(cause: Error): void
  /** Microtasks between a batch being let through and its being applied. */
  applyDelay: number
  /** Shows a batch that a log elsewhere has, at the sequence that it says. */
  show(batch: Uint8Array): void
  /** Every `n`th point read must be fetched first; 0 = none. */
  fetchEvery: number
}

export function createModelTree(kernel: Kernel): ModelTree {
  const layouts = new Map<number, TableLayout>()
  let contents: Contents = new Map()
  let visibleSequence = 0
  let nextSequence = 1
  let lastApplied: Promise<void> = Promise.resolve()
  let isHeld = false
  let waiting: { resolve: () => void; reject: (cause: Error) => void }[] = []
  let reads = 0

  function becomeDurable(): Promise<void> {
    if (!isHeld) return new Promise((resolve) => setImmediate(resolve))
    return new Promise((resolve, reject) => waiting.push({ resolve, reject }))
  }

  function applied(before: Contents, batch: Uint8Array): Contents {
    const next = new Map(before)
    for (const { kind, key, value } of readOperations(batch)) {
      const tableId = tableIdOf(key)
      const rest = Buffer.from(key.subarray(tableIdBytes))
      const entries = next.get(tableId) ?? []
      const without = (from: Uint8Array, to: Uint8Array | undefined): Entry[] => entries.filter((entry) => Buffer.compare(entry.key, from) < 0 || (to !== undefined && Buffer.compare(entry.key, to) >= 0))
      if (kind === operation.defineTable) layouts.set(tableId, decodeLayout({ kind, key, value }))
      else if (kind === operation.dropTable) next.delete(tableId)
      else if (kind === operation.rangeDelete) next.set(tableId, without(rest, tableIdOf(value) === tableId ? value.subarray(tableIdBytes) : undefined))
      else {
        const kept = without(rest, Buffer.concat([rest, Buffer.from([0])]))
        if (kind === operation.put) kept.push({ key: rest, row: Buffer.from(value) })
        next.set(tableId, kept.toSorted((a, b) => Buffer.compare(a.key, b.key)))
      }
    }
    return next
  }

  function apply(batch: Uint8Array): void {
    const { baseSequence, operationCount, isControl } = readBatchHeader(batch)
    if (!isControl) contents = applied(contents, batch)
    visibleSequence = baseSequence + operationCount - 1
  }

  const rowsOf = (snapshot: Snapshot | undefined, tableId: number): { entry: Entry; values: PhysicalRow }[] => {
    const layout = layouts.get(tableId)
    invariant(layout !== undefined, `table ${tableId} is not defined`)
    return (((snapshot as ModelSnapshot | undefined)?.contents ?? contents).get(tableId) ?? []).map((entry) => ({ entry, values: decodeEntry(layout, entry) }))
  }

  const selected = (snapshot: Snapshot, request: ScanRequest): { entry: Entry; values: PhysicalRow; matches: boolean }[] => {
    const rows = rowsOf(snapshot, request.tableId)
      .filter(({ entry }) => (request.lower === undefined || Buffer.compare(entry.key, request.lower) >= 0) && (request.upper === undefined || Buffer.compare(entry.key, request.upper) < 0))
      .map((row) => ({ ...row, matches: request.predicate.every((term) => matchesValue(row.values[term.ordinal]!, term.comparison, term.value ?? null)) && (request.conditions ?? []).every((condition) => evaluateExpression(condition, row.values) === true) }))
      .map((row) => (row.matches ? { ...row, values: [...row.values, ...(request.computed ?? []).map((expression) => physicalOf(evaluateExpression(expression, row.values)))] } : row))
    return request.reverse === true ? rows.toReversed() : rows
  }

  return {
    layouts,
    get visibleSequence() {
      return visibleSequence
    },
    get nextSequence() {
      return nextSequence
    },
    append(batch: Uint8Array, gate?: CommitGate) {
      const baseSequence = nextSequence
      assignBaseSequence(batch, baseSequence)
      nextSequence += readBatchHeader(batch).operationCount
      const durable = becomeDurable()
      const applied = Promise.all([lastApplied, durable, gate?.durableEverywhere]).then(async () => {
        for (let i = 0; i < this.applyDelay; i++) await Promise.resolve()
        apply(batch)
      })
      lastApplied = applied.catch(() => {})
      return { baseSequence, durable, applied }
    },
    admit: () => undefined,
    snapshot: (): ModelSnapshot => ({ sequence: visibleSequence, contents, release() {} }),
    overlay(below) {
      let own = (below as ModelSnapshot).contents
      return {
        snapshot: { sequence: visibleSequence, get contents() { return own }, release() {} } satisfies ModelSnapshot,
        apply: (batch) => void (own = applied(own, batch)),
      }
    },
    get(snapshot, tableId, key, keyBytes): RowHandle | PointFetch | undefined {
      if (this.fetchEvery > 0 && ++reads % this.fetchEvery === 0) return { fetch: () => Promise.resolve(), fetchSync: undefined, files: [], rowGroup: undefined }
      const wanted = Buffer.from(kernel.memory.u8.slice(key, key + keyBytes))
      const row = rowsOf(snapshot, tableId).find(({ entry }) => entry.key.equals(wanted))
      return row && rowHandle(kernel, row.values)
    },
    show: apply,
    applyDelay: 0,
    fetchEvery: 0,
    scan(snapshot, request) {
      const rows = selected(snapshot, request)
      const kinds = scanKinds(layouts.get(request.tableId)!.columns, request.computed)
      let at = 0
      return {
        async next() {
          await request.pace?.turn()
          if (at >= rows.length) return undefined
          const page = rows.slice(at, (at += 7))
          return writePage(kernel, kinds, page, request.columns)
        },
        close() {},
      }
    },
    async aggregate(snapshot, request, aggregates) {
      const rows = selected(snapshot, request).filter((row) => row.matches)
      return aggregates.map(({ function: name, ordinal }): AggregatePartial => {
        const values = rows.map((row) => (ordinal === undefined ? 0 : row.values[ordinal]!)).filter((value) => value !== null)
        if (name === 'count') return { kind: 'count', count: values.length }
        if (name === 'min' || name === 'max') return { kind: 'extreme', function: name, value: extreme(values, name === 'min' ? -1 : 1) }
        if (scanKinds(layouts.get(request.tableId)!.columns, request.computed)[ordinal!] === 'i64') return { kind: 'sumI64', count: values.length, sum: values.reduce<bigint>((sum, value) => sum + (value as bigint), 0n) }
        return { kind: 'sumF64', count: values.length, ...sumOfDoubles(values as number[]) }
      })
    },
    async groupedAggregate(snapshot, request, groups) {
      const rows = selected(snapshot, request)
      for (let at = 0; at < rows.length; at += 7) {
        await request.pace?.turn()
        const page = writePage(kernel, scanKinds(layouts.get(request.tableId)!.columns, request.computed), rows.slice(at, at + 7), groups.ordinals)
        if (page.selectedCount > 0) groups.add({ rowCount: page.rowCount, selection: page.selection, chunk: () => 0, vector: (ordinal) => page.vectors[ordinal]! })
      }
    },
    async topRows(snapshot, request, top) {
      await request.pace?.turn()
      const value = (of: PhysicalRow[number]): RankValue => (typeof of === 'bigint' && Number.isSafeInteger(Number(of)) ? Number(of) : of)
      for (const { values, matches } of selected(snapshot, request)) {
        if (matches) top.best.offer({ keys: top.keys.map(({ ordinal }) => value(values[ordinal]!)), others: top.others.map((ordinal) => value(values[ordinal]!)) })
      }
    },
    sync: async () => {},
    flush: async () => {},
    compact: async () => {},
    checkpoint: () => Promise.reject(new LsmtError('0A000', 'a model tree has no files')),
    stats: noTreeStats,
    close: async () => {},
    hold() {
      isHeld = true
    },
    let() {
      isHeld = false
      for (const { resolve } of waiting) resolve()
      waiting = []
    },
    failWaiting(cause) {
      for (const { reject } of waiting) reject(cause)
      waiting = []
    },
  }
}

const physicalOf = (value: PhysicalValue | boolean | null): PhysicalValue | null => (typeof value === 'boolean' ? BigInt(value) : value)

function extreme(values: readonly PhysicalValue[], sign: number): PhysicalValue | undefined {
  return values.reduce<PhysicalValue | undefined>((best, value) => (best === undefined || compareValues(value, best) * sign > 0 ? value : best), undefined)
}

function rowHandle(kernel: Kernel, values: PhysicalRow): RowHandle {
  return {
    isNull: (ordinal) => values[ordinal] === null,
    i64: (ordinal) => values[ordinal] as bigint,
    i64Safe(ordinal) {
      const number = Number(values[ordinal])
      return Number.isSafeInteger(number) ? number : undefined
    },
    f64: (ordinal) => values[ordinal] as number,
    bytes(ordinal) {
      const bytes = values[ordinal] as Uint8Array
      const address = kernel.heap.allocate(bytes.length + 1)
      kernel.memory.u8.set(bytes, address)
      return { address, byteLength: bytes.length }
    },
  }
}

/** Admission that keeps nobody waiting. */
export function freeAdmission(trees: readonly Tree[]): Admission {
  return createAdmission({ trees, memory: createMemtableMemory(() => false), bytesMax: Infinity, clock: systemClock })
}
