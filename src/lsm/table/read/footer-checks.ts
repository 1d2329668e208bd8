/** Checks of a footer's contents against its counts and against what the manifest says; all raise XX001. */
import { corruption } from '../../../errors.ts'
import type { LinearMemory, Pointer } from '../../../kernel/linear-memory.ts'
import { keyForm } from '../../layout.ts'
import { align8, headerBytes, keyFormNumber, keySlot, noRef, rowGroupRowsMax, sharedBytes, tombstoneSlot } from '../format.ts'
import { compareBytes } from '../key-order.ts'
import type { TableMeta } from '../table.ts'
import { bytesAt, refAt } from './tail-view.ts'
import type { Tail } from './tail-view.ts'

export function checkFooter(memory: LinearMemory, tail: Tail, meta: TableMeta): void {
  checkHeader(memory, tail, meta)
  checkRowCounts(memory, tail, meta)
  checkDirectory(memory, tail)
  checkRefs(memory, tail)
  checkFirstKeys(memory, tail)
  checkKeyBounds(memory, tail, meta)
  checkRangeTombstones(memory, tail)
}

const mismatch = (tail: Tail, block: string, expected: unknown, actual: unknown): Error =>
  corruption('table file', { file: tail.file, block: `footer, ${block}`, expected: String(expected), actual: String(actual) })

function checkHeader({ u32, view }: LinearMemory, tail: Tail, meta: TableMeta): void {
  const { footer, shape, layout, slots } = tail
  const expected: readonly (readonly [string, number, number])[] = [
    ['row groups', meta.rowGroupCount, shape.rowGroupCount],
    ['key form', keyFormNumber[keyForm(layout)], u32[(footer + 16) >>> 2]!],
    ['chunk slots', slots.count, shape.slotCount],
    ['table id', meta.tableId, layout.tableId],
    ['range tombstones', meta.rangeTombstoneCount, shape.rangeTombstoneCount],
    ['file number', meta.fileNumber, view.getFloat64(footer + 32, true)],
    ['rows', meta.rowCount, view.getFloat64(footer + 40, true)],
    ['tombstones', meta.tombstoneCount, view.getFloat64(footer + 48, true)],
    ['smallest sequence', meta.minSequence, view.getFloat64(footer + 56, true)],
    ['largest sequence', meta.maxSequence, view.getFloat64(footer + 64, true)],
  ]
  for (const [what, wanted, found] of expected) if (wanted !== found) throw mismatch(tail, what, wanted, found)
}

function checkRowCounts({ u32 }: LinearMemory, tail: Tail, meta: TableMeta): void {
  const { footer, sections, shape } = tail
  let rows = 0
  let live = 0
  for (let i = 0; i < shape.rowGroupCount; i++) {
    const count = u32[((footer + sections.rowCounts) >>> 2) + i]!
    const liveCount = u32[((footer + sections.liveRowCounts) >>> 2) + i]!
    if (count === 0 || count > rowGroupRowsMax) throw mismatch(tail, `rows of row group ${i}`, `1 to ${rowGroupRowsMax}`, count)
    if (liveCount > count) throw mismatch(tail, `live rows of row group ${i}`, `at most ${count}`, liveCount)
    rows += count
    live += liveCount
  }
  if (rows !== meta.rowCount) throw mismatch(tail, 'rows of all row groups', meta.rowCount, rows)
  if (rows - live !== meta.tombstoneCount) throw mismatch(tail, 'tombstones of all row groups', meta.tombstoneCount, rows - live)
}

/** Chunks follow one another from the header to the filter; only tombstones may be absent, where there are none. */
function checkDirectory({ u32 }: LinearMemory, tail: Tail): void {
  const { footer, sections, shape, filterOffset } = tail
  let offset = headerBytes
  for (let i = 0; i < shape.rowGroupCount; i++) {
    const hasTombstones = u32[((footer + sections.rowCounts) >>> 2) + i] !== u32[((footer + sections.liveRowCounts) >>> 2) + i]
    for (let slot = keySlot; slot < shape.slotCount; slot++) {
      const entry = (footer + sections.directory + (i * shape.slotCount + slot) * 16) >>> 2
      const byteLength = u32[entry + 1]!
      const present = slot !== tombstoneSlot || hasTombstones
      if (present !== byteLength > 0) throw mismatch(tail, `row group ${i} slot ${slot} bytes`, present ? 'a chunk' : 0, byteLength)
      if (!present) continue
      if (u32[entry]! * 8 !== offset) throw mismatch(tail, `row group ${i} slot ${slot} offset`, offset, u32[entry]! * 8)
      offset += align8(byteLength)
    }
  }
  if (offset !== filterOffset) throw mismatch(tail, 'end of the row groups', filterOffset, offset)
}

/** Every ref points into the data, or nowhere where that is allowed. */
function checkRefs({ u32 }: LinearMemory, tail: Tail): void {
  const { footer, sections, shape } = tail
  for (let ref = sections.firstKeyRefs; ref < sections.data; ref += 8) {
    const offset = u32[(footer + ref) >>> 2]!
    const byteLength = u32[(footer + ref + 4) >>> 2]!
    const isExtreme = ref >= sections.textExtremes && ref < sections.keyBounds
    if (offset === noRef && byteLength === 0 && isExtreme) continue
    if (offset + byteLength > shape.dataBytes) throw mismatch(tail, `ref at ${ref}`, `an end up to ${shape.dataBytes}`, offset + byteLength)
  }
}

function checkFirstKeys(memory: LinearMemory, tail: Tail): void {
  const { sections, shape } = tail
  const isI64 = keyForm(tail.layout) === 'i64'
  checkSharedBytes(memory, tail)
  for (let i = 0; i < shape.rowGroupCount; i++) {
    const key = refAt(memory, tail, sections.firstKeyRefs, i)
    if (isI64 && key.byteLength !== 8) throw mismatch(tail, `first key of row group ${i}, bytes`, 8, key.byteLength)
    checkPrefix(memory, tail, i, key.address, key.byteLength)
    if (i === 0) continue
    const before = refAt(memory, tail, sections.firstKeyRefs, i - 1)
    if (compareBytes(memory.u8, before.address, before.byteLength, key.address, key.byteLength) >= 0) throw mismatch(tail, `first key of row group ${i}`, 'above the one before', 'not above')
  }
}

function checkSharedBytes(memory: LinearMemory, tail: Tail): void {
  const { sections, shape, sharedKeyBytes } = tail
  const keyOf = (rowGroup: number): Uint8Array => bytesAt(memory, tail, sections.firstKeyRefs, rowGroup)
  const shared = shape.rowGroupCount === 0 ? 0 : sharedBytes(keyOf(0), keyOf(shape.rowGroupCount - 1))
  if (shared !== sharedKeyBytes) throw mismatch(tail, 'bytes shared by first keys', shared, sharedKeyBytes)
}

function checkPrefix({ u8, u32 }: LinearMemory, tail: Tail, rowGroup: number, key: Pointer, keyBytes: number): void {
  for (let half = 0; half < 2; half++) {
    let prefix = 0
    for (let i = half * 4; i < half * 4 + 4; i++) prefix = prefix * 256 + (tail.sharedKeyBytes + i < keyBytes ? u8[key + tail.sharedKeyBytes + i]! : 0)
    const stored = u32[((tail.footer + tail.sections.firstKeys) >>> 2) + rowGroup * 2 + half]!
    if (stored !== prefix) throw mismatch(tail, `key prefix of row group ${rowGroup}`, prefix, stored)
  }
}

function checkKeyBounds(memory: LinearMemory, tail: Tail, meta: TableMeta): void {
  for (const [index, key] of [meta.minKey, meta.maxKey].entries()) {
    const { address, byteLength } = refAt(memory, tail, tail.sections.keyBounds, index)
    const stored = memory.u8.subarray(address, address + byteLength)
    if (Buffer.compare(stored, key) !== 0) throw mismatch(tail, index === 0 ? 'smallest key' : 'largest key', hexOf(key), hexOf(stored))
  }
}

function checkRangeTombstones(memory: LinearMemory, tail: Tail): void {
  const { rangeTombstones } = tail.sections
  for (let i = 0; i < tail.shape.rangeTombstoneCount; i++) {
    const start = refAt(memory, tail, rangeTombstones, i * 2)
    const end = refAt(memory, tail, rangeTombstones, i * 2 + 1)
    const before = i === 0 ? start : refAt(memory, tail, rangeTombstones, i * 2 - 2)
    const ascending = compareBytes(memory.u8, before.address, before.byteLength, start.address, start.byteLength) <= 0
    if (!ascending) throw mismatch(tail, `range tombstone ${i}`, 'a start from that of the one before', 'below it')
    if (compareBytes(memory.u8, start.address, start.byteLength, end.address, end.byteLength) >= 0) throw mismatch(tail, `range tombstone ${i}`, 'a start below its end', 'not below')
  }
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
