/** A memtable as plain JavaScript, and the bytes of batches, to hold the kernels against. */
import type { Kernel } from '../../src/kernel/kernel.ts'

export type Operation =
  | { readonly kind: 'put'; readonly key: Buffer; readonly value: Buffer }
  | { readonly kind: 'delete'; readonly key: Buffer }
  | { readonly kind: 'rangeDelete'; readonly key: Buffer; readonly end: Buffer }
  | { readonly kind: 'defineTable' | 'dropTable' | 'abort'; readonly key: Buffer }

const kindNumber = { put: 1, delete: 2, rangeDelete: 3, defineTable: 4, dropTable: 5, abort: 6 } as const

const operationValue = (operation: Operation): Buffer => {
  if (operation.kind === 'put') return operation.value
  return operation.kind === 'rangeDelete' ? operation.end : Buffer.alloc(0)
}

export function encodeBatch(baseSequence: number, operations: readonly Operation[], flags = 0): Buffer {
  const header = Buffer.alloc(24)
  const bodies = operations.map((operation) => {
    const value = operationValue(operation)
    const body = Buffer.alloc(Math.ceil((12 + operation.key.length + value.length) / 4) * 4)
    body.writeUInt8(kindNumber[operation.kind], 0)
    body.writeUInt32LE(operation.key.length, 4)
    body.writeUInt32LE(value.length, 8)
    operation.key.copy(body, 12)
    value.copy(body, 12 + operation.key.length)
    return body
  })
  const batch = Buffer.concat([header, ...bodies])
  batch.writeUInt32LE(batch.length, 0)
  batch.writeUInt32LE(operations.length, 4)
  batch.writeDoubleLE(baseSequence, 8)
  batch.writeUInt32LE(24, 16)
  batch.writeUInt32LE(flags, 20)
  return batch
}

export const tableKey = (tableId: number, primaryKey: Uint8Array | string = ''): Buffer => {
  const id = Buffer.alloc(4)
  id.writeUInt32BE(tableId)
  return Buffer.concat([id, typeof primaryKey === 'string' ? Buffer.from(primaryKey, 'latin1') : primaryKey])
}

/** A key and its value as read; undefined = deleted. */
export type Entry = readonly [key: string, value: string | undefined]

export class MemtableModel {
  readonly versions = new Map<string, { sequence: number; value: string | undefined }[]>()
  readonly ranges: { start: string; end: string | undefined; sequence: number }[] = []
  entries = 0

  apply(baseSequence: number, operations: readonly Operation[]): void {
    operations.forEach((operation, i) => this.applyOne(baseSequence + i, operation))
  }

  /** Keys as latin1 text: it compares as the bytes do. */
  private applyOne(sequence: number, operation: Operation): void {
    const key = operation.key.toString('latin1')
    if (operation.kind === 'put' || operation.kind === 'delete') {
      const versions = this.versions.get(key) ?? []
      versions.push({ sequence, value: operation.kind === 'put' ? operation.value.toString('latin1') : undefined })
      this.versions.set(key, versions)
      this.entries++
    } else if (operation.kind === 'rangeDelete') {
      const end = operation.end.toString('latin1')
      if (key < end) this.ranges.push({ start: key, end, sequence })
    } else if (operation.kind === 'dropTable') {
      const id = operation.key.readUInt32BE()
      this.ranges.push({ start: key, end: id === 0xffffffff ? undefined : tableKey(id + 1).toString('latin1'), sequence })
    }
  }

  /** 'unknown', undefined for deleted, or the value. */
  get(key: string, sequence: number): string | undefined | { unknown: true } {
    const visible = this.versions.get(key)?.filter((version) => version.sequence <= sequence).reduce((a, b) => (b.sequence >= a.sequence ? b : a), { sequence: -1, value: undefined as string | undefined })
    const found = visible?.sequence ?? -1
    if (this.ranges.some((range) => range.sequence > found && range.sequence <= sequence && range.start <= key && (range.end === undefined || key < range.end))) return undefined
    return found === -1 ? { unknown: true } : visible!.value
  }

  /** Keys that begin with `prefix` and were written in (since, sequence], ascending, and in how many versions. */
  scanSince(since: number, sequence: number, prefix: string): { readonly entries: Entry[]; readonly versionCount: number } {
    const isRecent = (version: { readonly sequence: number }): boolean => version.sequence > since && version.sequence <= sequence
    const written = [...this.versions].filter(([key, versions]) => key.startsWith(prefix) && versions.some(isRecent))
    const entries = written.map(([key]): Entry => [key, this.get(key, sequence) as string | undefined]).sort(([a], [b]) => (a < b ? -1 : 1))
    return { entries, versionCount: written.reduce((sum, [, versions]) => sum + versions.filter(isRecent).length, 0) }
  }

  /** Keys with a visible version in [lower, upper), ascending. */
  scan(sequence: number, lower: string, upper: string | undefined): Entry[] {
    return [...this.versions.keys()]
      .filter((key) => key >= lower && (upper === undefined || key < upper))
      .filter((key) => this.versions.get(key)!.some((version) => version.sequence <= sequence))
      .sort((a, b) => (a < b ? -1 : 1))
      .map((key) => [key, this.get(key, sequence) as string | undefined])
  }
}

/** A memtable in a kernel's memory, driven as the tree drives it. */
export class KernelMemtable {
  readonly kernel: Kernel
  readonly table: number
  segments = 1
  private readonly scratch: number

  constructor(kernel: Kernel, segmentBytes = 4096, table?: number) {
    this.kernel = kernel
    this.table = table ?? kernel.exports.skiplistCreate(kernel.heap.allocate(segmentBytes), segmentBytes)
    this.scratch = kernel.heap.allocate(8192)
  }

  place(bytes: Uint8Array): number {
    const at = this.kernel.heap.allocate(bytes.length + 1)
    this.kernel.memory.u8.set(bytes, at)
    return at
  }

  /** Applies batch bytes, bringing segments until they suffice; returns the last answer. */
  applyBytes(batch: Uint8Array, segmentBytesMin = 4096): number {
    const at = this.place(batch)
    let answer = this.kernel.exports.skiplistApply(this.table, at, batch.length)
    if (answer > 0) {
      const segmentBytes = Math.max(answer, segmentBytesMin)
      this.kernel.exports.skiplistAddSegment(this.table, this.kernel.heap.allocate(segmentBytes), segmentBytes)
      this.segments++
      answer = this.kernel.exports.skiplistApply(this.table, at, batch.length)
    }
    this.kernel.heap.free(at)
    return answer
  }

  get(key: string, sequence: number): string | undefined | { unknown: true } {
    const at = this.place(Buffer.from(key, 'latin1'))
    const answer = this.kernel.exports.skiplistGet(this.table, at, key.length, sequence, this.scratch)
    this.kernel.heap.free(at)
    if (answer === 0) return { unknown: true }
    return answer === 1 ? this.textAt(this.scratch) : undefined
  }

  textAt(ref: number): string {
    const { u32, buffer } = this.kernel.memory
    return buffer.toString('latin1', u32[ref >>> 2], u32[ref >>> 2]! + u32[(ref >>> 2) + 1]!)
  }

  hasKeys(first: string, last: string): boolean {
    const at = this.place(Buffer.from(first + last, 'latin1'))
    const answer = this.kernel.exports.skiplistHasKeys(this.table, at, first.length, at + first.length, last.length)
    this.kernel.heap.free(at)
    return answer === 1
  }

  seek(key: string, backward: boolean): number {
    const cursor = this.kernel.heap.allocate(32)
    const at = this.place(Buffer.from(key, 'latin1'))
    this.kernel.exports.skiplistSeek(this.table, at, key.length, backward ? 1 : 0, cursor)
    this.kernel.memory.u8.fill(0xff, at, at + key.length)
    this.kernel.heap.free(at)
    return cursor
  }

  /** One call of skiplistRead with the whole key, at most 256 entries. */
  read(cursor: number, sequence: number, bound: string, limit: number, skipBytes = 0): Entry[] {
    const { heap, exports, memory } = this.kernel
    const keys = heap.allocate(8 * 256), values = heap.allocate(8 * 256)
    const at = this.place(Buffer.from(bound, 'latin1'))
    const count = exports.skiplistRead(this.table, cursor, sequence, at, bound.length, skipBytes, keys, values, limit)
    const entries = Array.from({ length: count }, (_, i): Entry => [
      this.textAt(keys + 8 * i), memory.u32[(values >>> 2) + 2 * i + 1] === 0 ? undefined : this.textAt(values + 8 * i),
    ])
    for (const pointer of [keys, values, at]) heap.free(pointer)
    return entries
  }

  /** skiplistReadSince with the whole key; undefined where it found more than `limit` versions. */
  readSince(since: number, sequence: number, prefix: string, limit: number): Entry[] | undefined {
    const { heap, exports, memory } = this.kernel
    const keys = heap.allocate(8 * limit + 8), values = heap.allocate(8 * limit + 8)
    const at = this.place(Buffer.from(prefix, 'latin1'))
    const count = exports.skiplistReadSince(this.table, since, sequence, at, prefix.length, keys, values, limit)
    const entries = Array.from({ length: Math.max(0, count) }, (_, i): Entry => [
      prefix + this.textAt(keys + 8 * i), memory.u32[(values >>> 2) + 2 * i + 1] === 0 ? undefined : this.textAt(values + 8 * i),
    ])
    for (const pointer of [keys, values, at]) heap.free(pointer)
    return count < 0 ? undefined : entries
  }
}
