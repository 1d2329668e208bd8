/** Pages that came from another node, in linear memory, as everything above a tree takes them. */
import type { Kernel } from '../../../kernel/kernel.ts'
import type { LinearMemory, Pointer } from '../../../kernel/linear-memory.ts'
import { keyPrefixInMemory } from '../../../lsm/keys/key-bytes.ts'
import type { PhysicalKind } from '../../../lsm/layout.ts'
import type { Page, Vector } from '../../../lsm/page.ts'
import { bitmapBytes } from '../../../lsm/read/read-context.ts'
import { invariant } from '../../../errors.ts'
import { createByteReader } from '../../transport/wire/byte-reader.ts'
import type { ByteReader } from '../../transport/wire/byte-reader.ts'
import { keySectionBytes, columnBytes, nullsBytes, readPageHead } from '../wire/page-format.ts'
import type { ColumnHead, PageHead } from '../wire/page-format.ts'

export interface ReceivedPage {
  readonly page: Page
  free(): void
}

export interface PageShape {
  /** Ordinals that were asked for, and their kinds. */
  readonly ordinals: readonly number[]
  readonly kinds: readonly PhysicalKind[]
  readonly hasKeys: boolean
}

/** 08P01 for what is no such page; nothing is taken from the heap then. */
export function receivePage({ heap, memory }: Kernel, { ordinals, kinds, hasKeys }: PageShape, bytes: Uint8Array): ReceivedPage {
  const reader = createByteReader(bytes, 'a page')
  const head = readPageHead(reader, kinds, hasKeys)
  const sections = head.columns.map((column, i) => reader.bytes(`column ${ordinals[i]}`, columnBytes(column, head.rowCount)))
  const keySection = reader.bytes('keys', keySectionBytes(head))
  reader.end()
  head.columns.forEach((column, i) => column.kind === 'bytes' && checkLengths(reader, sections[i]!.subarray(column.hasNulls ? nullsBytes(head.rowCount) : 0), head.rowCount))
  if (hasKeys) checkLengths(reader, keySection, head.rowCount)
  const address = heap.allocate(head.columns.reduce((sum, column) => sum + memoryBytes(column, head.rowCount), refsBytes(head)))
  const vectors: (Vector | undefined)[] = []
  let at = address
  head.columns.forEach((column, i) => {
    vectors[ordinals[i]!] = putColumn(memory, column, head.rowCount, sections[i]!, at)
    at += memoryBytes(column, head.rowCount)
  })
  if (hasKeys) putRefs(memory, keySection, head.rowCount, at)
  return { page: { rowCount: head.rowCount, vectors, selection: 0, selectedCount: head.rowCount, ...keysAt(memory, hasKeys ? at : 0) }, free: () => heap.free(address) }
}

const roundedUp = (byteLength: number): number => (byteLength + 7) & ~7
const memoryBytes = ({ kind, hasNulls, textBytes }: ColumnHead, rowCount: number): number => (hasNulls ? bitmapBytes(rowCount) : 0) + 8 * rowCount + (kind === 'bytes' ? roundedUp(textBytes) : 0)
const refsBytes = ({ rowCount, keyBytes }: PageHead): number => (keyBytes === undefined ? 0 : 8 * rowCount + roundedUp(keyBytes))

/** Lengths and texts: the lengths must make the section. */
function checkLengths(reader: ByteReader, section: Uint8Array, rowCount: number): void {
  const lengths = new DataView(section.buffer, section.byteOffset, 4 * rowCount)
  let byteLength = 4 * rowCount
  for (let row = 0; row < rowCount; row++) byteLength += lengths.getUint32(4 * row, true)
  if (byteLength !== section.byteLength) throw reader.wrong('lengths of texts', `${section.byteLength} bytes together`, byteLength)
}

function putColumn(memory: LinearMemory, { kind, hasNulls }: ColumnHead, rowCount: number, section: Uint8Array, at: Pointer): Vector {
  const nulls = hasNulls ? at : 0, values = hasNulls ? at + bitmapBytes(rowCount) : at
  const from = hasNulls ? nullsBytes(rowCount) : 0
  if (hasNulls) putNulls(memory, section.subarray(0, from), rowCount, at)
  if (kind === 'bytes') {
    putRefs(memory, section.subarray(from), rowCount, values)
    return { kind, refs: values, nulls }
  }
  memory.u8.set(section.subarray(from), values)
  return { kind, values, nulls }
}

/** Zeros after the last row, as kernels expect. */
function putNulls({ u8 }: LinearMemory, bits: Uint8Array, rowCount: number, at: Pointer): void {
  u8.fill(0, at, at + bitmapBytes(rowCount))
  u8.set(bits, at)
  if ((rowCount & 7) !== 0) u8[at + bits.byteLength - 1]! &= (1 << (rowCount & 7)) - 1
}

/** Refs at `at`, and behind them what they refer to. */
function putRefs({ u8, u32 }: LinearMemory, section: Uint8Array, rowCount: number, at: Pointer): void {
  const lengths = new DataView(section.buffer, section.byteOffset, 4 * rowCount)
  let text = at + 8 * rowCount
  u8.set(section.subarray(4 * rowCount), text)
  for (let row = 0; row < rowCount; row++) {
    const byteLength = lengths.getUint32(4 * row, true)
    u32[(at >>> 2) + 2 * row] = text
    u32[(at >>> 2) + 2 * row + 1] = byteLength
    text += byteLength
  }
}

function keysAt(memory: LinearMemory, refs: Pointer): Pick<Page, 'keyAt' | 'keyPrefixAt'> {
  const keyAt = (row: number): ReturnType<Page['keyAt']> => {
    invariant(refs !== 0, 'a key is asked for of a page without keys')
    return { address: memory.u32[(refs >>> 2) + 2 * row]!, byteLength: memory.u32[(refs >>> 2) + 2 * row + 1]! }
  }
  return {
    keyAt,
    keyPrefixAt(row) {
      const { address, byteLength } = keyAt(row)
      return keyPrefixInMemory(memory, address, byteLength)
    },
  }
}
