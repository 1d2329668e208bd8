/**
 * The memtable: puts in batches of 1,000, gets of one key and of many, and a forward scan, of random, sequential and digit keys (a table id and
 * 16 bytes) with rows of 100 bytes. 100,000 keys are about one full memtable; LSMT_BENCH_KEYS sets another number.
 */
import type { BenchCase, PreparedCase } from '../harness.ts'
import { askedKeyBytes, newestOutBytes, runsHeadBytes, runsMemtableBytes } from '../../src/kernel/column.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { seededRandom } from '../../src/runtime/random.ts'

const keyCount = Number(process.env['LSMT_BENCH_KEYS'] ?? 100_000)
const batchOperations = 1000
const keyBytes = 20
const rowBytes = 100
const operationBytes = 12 + keyBytes + rowBytes
const batchBytes = 24 + batchOperations * operationBytes
const segmentBytes = 4 << 20

type KeyOrder = 'random' | 'sequential' | 'digits'
type WriteKey = (bytes: Buffer, at: number, i: number) => void

/** Writers of key i: an odd multiplier makes every i another key, in no order. */
const writeKey: Readonly<Record<KeyOrder, WriteKey>> = {
  random(bytes, at, i) {
    const random = seededRandom(i)
    for (let word = 0; word < 4; word++) bytes.writeUInt32LE(random.nextU32(), at + 4 * word)
  },
  sequential(bytes, at, i) {
    bytes.writeUInt32BE(i, at + 12)
  },
  digits(bytes, at, i) {
    bytes.write(`user${String(Math.imul(i, 0x9e3779b1) >>> 0).padStart(12, '0')}`, at, 'latin1')
  },
}

/** All batches in one buffer: what the log hands over. */
function buildBatches(order: KeyOrder): Buffer {
  const bytes = Buffer.alloc((keyCount / batchOperations) * batchBytes)
  for (let i = 0; i < keyCount; i++) {
    const batch = Math.floor(i / batchOperations) * batchBytes
    if (i % batchOperations === 0) {
      bytes.writeUInt32LE(batchBytes, batch)
      bytes.writeUInt32LE(batchOperations, batch + 4)
      bytes.writeDoubleLE(i + 1, batch + 8)
      bytes.writeUInt32LE(24, batch + 16)
    }
    const at = batch + 24 + (i % batchOperations) * operationBytes
    bytes.writeUInt32LE(1, at)
    bytes.writeUInt32LE(keyBytes, at + 4)
    bytes.writeUInt32LE(rowBytes, at + 8)
    bytes.writeUInt32BE(1, at + 12)
    writeKey[order](bytes, at + 16, i)
    bytes.fill(i & 255, at + 12 + keyBytes, at + operationBytes)
  }
  return bytes
}

/** Applies all batches to a new memtable, each copied into linear memory as the log does. */
function fill(kernel: Kernel, batches: Buffer, segments: number[]): number {
  const { exports, heap, memory } = kernel
  for (const segment of segments.splice(0)) heap.free(segment)
  segments.push(heap.allocate(segmentBytes))
  const table = exports.skiplistCreate(segments[0]!, segmentBytes)
  const at = heap.allocate(batchBytes)
  for (let offset = 0; offset < batches.length; offset += batchBytes) {
    memory.u8.set(batches.subarray(offset, offset + batchBytes), at)
    for (let needed = exports.skiplistApply(table, at, batchBytes); needed !== 0; needed = exports.skiplistApply(table, at, batchBytes)) {
      if (needed < 0) throw new Error('malformed batch')
      const bytes = Math.max(needed, segmentBytes)
      segments.push(heap.allocate(bytes))
      exports.skiplistAddSegment(table, segments.at(-1)!, bytes)
    }
  }
  exports.skiplistOrder(table)
  heap.free(at)
  return table
}

/** Sums first words of keys and rows in order: equal only when every entry is. */
function scanSum(kernel: Kernel, table: number): number {
  const { exports, heap, memory: { u32 } } = kernel
  const cursor = heap.allocate(32), keys = heap.allocate(8 * 1024), values = heap.allocate(8 * 1024)
  exports.skiplistSeek(table, 0, 0, 0, cursor)
  let sum = 0
  for (let count = 1; count > 0;) {
    count = exports.skiplistRead(table, cursor, 2 ** 50, 0, 0, 4, keys, values, 1024)
    for (let i = 0; i < count; i++) sum = (Math.imul(sum, 31) + u32[u32[(keys >>> 2) + 2 * i]! >>> 2]! + u32[u32[(values >>> 2) + 2 * i]! >>> 2]!) | 0
  }
  for (const pointer of [cursor, keys, values]) heap.free(pointer)
  return sum
}

function putCase(order: KeyOrder): BenchCase {
  return {
    name: `put, ${order} keys`,
    operations: keyCount,
    prepare(kernel): PreparedCase {
      const batches = buildBatches(order)
      const segments: number[] = []
      let table = 0
      return {
        run() { table = fill(kernel, batches, segments) },
        answer: () => `${kernel.exports.skiplistUsedBytes(table)} ${scanSum(kernel, table)}`,
      }
    },
  }
}

function getCase(order: KeyOrder): BenchCase {
  return {
    name: `get, ${order} keys`,
    operations: keyCount,
    prepare(kernel): PreparedCase {
      const { exports, heap, memory } = kernel
      const table = fill(kernel, buildBatches(order), [])
      const key = heap.allocate(keyBytes), out = heap.allocate(8)
      const keys = Buffer.alloc(keyCount * keyBytes)
      for (let i = 0; i < keyCount; i++) {
        keys.writeUInt32BE(1, i * keyBytes)
        writeKey[order](keys, i * keyBytes + 4, (i * 7919) % keyCount)
      }
      let sum = 0
      return {
        run() {
          sum = 0
          for (let i = 0; i < keyCount; i++) {
            for (let byte = 0; byte < keyBytes; byte++) memory.u8[key + byte] = keys[i * keyBytes + byte]!
            const found = exports.skiplistGet(table, key, keyBytes, 2 ** 50, out)
            sum = (Math.imul(sum, 31) + found + memory.u8[memory.u32[out >>> 2]!]!) | 0
          }
        },
        answer: () => String(sum),
      }
    },
  }
}

const keysAtOnce = 64

/** As readers of a column ask for many keys (src/engine/shards/keys-together.ts): keys without their table's id, of a table that has one memtable and no files. */
function getManyCase(order: KeyOrder): BenchCase {
  return {
    name: `get, ${keysAtOnce} ${order} keys at once`,
    operations: keyCount,
    prepare(kernel): PreparedCase {
      const { exports, heap, memory: { u8, u32, f64, view } } = kernel, textBytes = keyBytes - 4
      const table = fill(kernel, buildBatches(order), [])
      const runs = heap.allocate(runsHeadBytes + runsMemtableBytes), counts = heap.allocate(24)
      u32.set([1, 0, 0, 0, 0, 0, counts, 0, table, 1], runs >>> 2)
      view.setUint32(runs + 8, 1)
      const asked = heap.allocate(keysAtOnce * askedKeyBytes), out = heap.allocate(keysAtOnce * newestOutBytes), work = heap.allocate(8), texts = heap.allocate(keysAtOnce * textBytes)
      for (let i = 0; i < keysAtOnce; i++) {
        const at = asked + i * askedKeyBytes
        f64[at >>> 3] = 2 ** 50
        u32.set([runs, texts + i * textBytes, 0, 0, textBytes], (at >>> 2) + 2)
      }
      const keys = Buffer.alloc(keyCount * textBytes)
      for (let i = 0; i < keyCount; i++) writeKey[order](keys, i * textBytes, (i * 7919) % keyCount)
      let sum = 0
      return {
        run() {
          sum = 0
          for (let i = 0; i < keyCount; i += keysAtOnce) {
            const count = Math.min(keysAtOnce, keyCount - i)
            u8.set(keys.subarray(i * textBytes, (i + count) * textBytes), texts)
            exports.columnGetNewestMany(asked, count, -1, out, work)
            for (let j = 0; j < count; j++) sum = (Math.imul(sum, 31) + u8[u32[((out + j * newestOutBytes) >>> 2) + 4]!]!) | 0
          }
        },
        answer: () => String(sum),
      }
    },
  }
}

function scanCase(order: KeyOrder): BenchCase {
  return {
    name: `scan, ${order} keys`,
    operations: keyCount,
    prepare(kernel): PreparedCase {
      const table = fill(kernel, buildBatches(order), [])
      let sum = 0
      return { run() { sum = scanSum(kernel, table) }, answer: () => String(sum) }
    },
  }
}

export function bench(): readonly BenchCase[] {
  return [putCase('random'), putCase('sequential'), putCase('digits'), getCase('random'), getCase('digits'), getManyCase('random'), getManyCase('digits'), scanCase('random'), scanCase('sequential')]
}
