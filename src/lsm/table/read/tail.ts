/**
 * The tail of a table file in linear memory, validated: filter and footer are used in place, so everything that a
 * later read takes an offset or a count from is checked here, once. What is wrong is error XX001, or XX002 for a
 * version that is not known, naming the file, the block, what was expected and what was found.
 */
import { corruption, LsmtError } from '../../../errors.ts'
import type { Kernel } from '../../../kernel/kernel.ts'
import type { Pointer } from '../../../kernel/linear-memory.ts'
import type { PhysicalKind, TableLayout } from '../../layout.ts'
import { checkFooter } from './footer-checks.ts'
import { checksumAlgorithm, chunkSlots, footerHeaderBytes, footerSections, headerBytes, readableVersions, trailerBytes, trailerMagic } from '../format.ts'
import type { FooterSections, FooterShape } from '../format.ts'
import type { TableMeta } from '../table.ts'
import type { Tail } from './tail-view.ts'

/** Raises corruption unless the two are equal. */
export type Expect = (block: string, expected: unknown, actual: unknown) => void

export const expectIn = (file: string): Expect => (block, expected, actual) => {
  if (expected !== actual) throw corruption('table file', { file, block, expected: String(expected), actual: String(actual) })
}

/** What the manifest says of the file's size, before anything is read. */
export function checkLengths(file: string, meta: TableMeta, byteLength: number): true {
  expectIn(file)('file length', meta.byteLength, byteLength)
  const bytesMin = footerHeaderBytes + trailerBytes
  const bytesMax = byteLength - headerBytes
  if (meta.tailBytes >= bytesMin && meta.tailBytes <= bytesMax && meta.tailBytes % 8 === 0) return true
  throw corruption('table file', { file, block: 'tail length', expected: `a multiple of 8 from ${bytesMin} to ${bytesMax}`, actual: String(meta.tailBytes) })
}

/** Validates the `meta.tailBytes` bytes at `address`, the last of the file. */
export function readTail(kernel: Kernel, file: string, meta: TableMeta, address: Pointer): Tail {
  const trailer = address + meta.tailBytes - trailerBytes
  const { filterOffset, filterBytes, footerBytes } = checkTrailer(kernel, file, meta, trailer)
  const footer = address + filterBytes
  expectChecksum(kernel, file, 'filter', address, filterBytes, trailer + 16)
  expectChecksum(kernel, file, 'footer', footer, footerBytes, trailer + 24)
  const { shape, sections } = footerShape(kernel, file, footer, footerBytes)
  const layout = footerLayout(kernel, file, footer, sections, shape)
  const sharedKeyBytes = kernel.memory.view.getUint32(footer + 76, true)
  const tail: Tail = { file, filter: { address, byteLength: filterBytes }, footer, sections, shape, layout, slots: chunkSlots(layout), sharedKeyBytes, filterOffset }
  checkFooter(kernel.memory, tail, meta)
  return tail
}

/** Compares a stored checksum with that of the bytes. */
export function expectChecksum(kernel: Kernel, file: string, block: string, bytes: Pointer, byteLength: number, stored: Pointer): void {
  const { memory, exports, heap } = kernel
  const out = heap.allocate(8)
  exports.checksumXxh64(bytes, byteLength, out)
  const equal = memory.u32[out >>> 2] === memory.u32[stored >>> 2] && memory.u32[(out >>> 2) + 1] === memory.u32[(stored >>> 2) + 1]
  const actual = equal ? 0n : memory.view.getBigUint64(out, true)
  heap.free(out)
  if (!equal) expectIn(file)(`${block} checksum`, hexOf(memory.view.getBigUint64(stored, true)), hexOf(actual))
}

const hexOf = (sum: bigint): string => sum.toString(16).padStart(16, '0')

function checkTrailer(kernel: Kernel, file: string, meta: TableMeta, trailer: Pointer): { readonly filterOffset: number; readonly filterBytes: number; readonly footerBytes: number } {
  const { view, buffer } = kernel.memory
  const expect = expectIn(file)
  expect('trailer magic', trailerMagic, buffer.toString('latin1', trailer + 48, trailer + 56))
  expectChecksum(kernel, file, 'trailer', trailer, trailerBytes - 8, trailer + trailerBytes - 8)
  checkVersion(file, view.getUint16(trailer + 32, true), view.getUint16(trailer + 34, true))
  const filterOffset = view.getFloat64(trailer, true)
  const filterBytes = view.getUint32(trailer + 8, true)
  const footerBytes = view.getUint32(trailer + 12, true)
  expect('trailer, file bytes', meta.byteLength, view.getFloat64(trailer + 40, true))
  expect('trailer, tail bytes', meta.tailBytes, filterBytes + footerBytes + trailerBytes)
  expect('trailer, filter offset', meta.byteLength - meta.tailBytes, filterOffset)
  expect('trailer, filter bytes modulo 32', 0, filterBytes % 32)
  return { filterOffset, filterBytes, footerBytes }
}

/** Files of another version or checksum are refused by name: they are not damaged. */
export function checkVersion(file: string, version: number, algorithm: number): void {
  if (readableVersions.includes(version) && algorithm === checksumAlgorithm) return
  throw new LsmtError('XX002', `${file} has format version ${version} with checksum ${algorithm}; this version of lsmt reads versions ${readableVersions.join(', ')} with checksum ${checksumAlgorithm}`, {
    file,
    expected: `version ${readableVersions.join(', ')}, checksum ${checksumAlgorithm}`,
    actual: `version ${version}, checksum ${algorithm}`,
  })
}

/** The counts in the footer's header, which must make exactly its length. */
export function footerShape({ memory: { view } }: Kernel, file: string, footer: Pointer, footerBytes: number): { readonly shape: FooterShape; readonly sections: FooterSections } {
  const expect = expectIn(file)
  expect('footer, at least its header', true, footerBytes >= footerHeaderBytes)
  const [stored, rowGroupCount, columnCount, keyColumnCount, , slotCount, , rangeTombstoneCount] = Array.from({ length: 8 }, (_, i) => view.getUint32(footer + i * 4, true)) as [number, number, number, number, number, number, number, number]
  expect('footer bytes', footerBytes, stored)
  const dataBytes = view.getUint32(footer + 72, true)
  expect('footer, column count in its bounds', true, columnCount <= footerBytes && footerHeaderBytes + columnCount <= footerBytes)
  const textColumnCount = memoryCount(view, footer + footerHeaderBytes, columnCount, 3)
  const shape: FooterShape = { rowGroupCount, columnCount, textColumnCount, keyColumnCount, slotCount, rangeTombstoneCount, dataBytes }
  const sections = footerSections(shape)
  expect('footer bytes by its counts', sections.byteLength, footerBytes)
  return { shape, sections }
}

/** How many of `count` bytes have a value. */
function memoryCount(view: DataView, address: Pointer, count: number, value: number): number {
  let found = 0
  for (let i = 0; i < count; i++) if (view.getUint8(address + i) === value) found += 1
  return found
}

function footerLayout({ memory }: Kernel, file: string, footer: Pointer, sections: FooterSections, shape: FooterShape): TableLayout {
  const kinds: readonly (PhysicalKind | undefined)[] = [undefined, 'i64', 'f64', 'bytes']
  const columns = Array.from({ length: shape.columnCount }, (_, ordinal): PhysicalKind => {
    const number = memory.u8[footer + sections.columnKinds + ordinal]!
    const kind = kinds[number]
    if (kind === undefined) throw corruption('table file', { file, block: `footer, kind of column ${ordinal}`, expected: '1, 2 or 3', actual: String(number) })
    return kind
  })
  const key = Array.from({ length: shape.keyColumnCount }, (_, i) => memory.u32[((footer + sections.keyOrdinals) >>> 2) + i]!)
  const expect = expectIn(file)
  expect('footer, key columns below the column count', true, key.every((ordinal) => ordinal < columns.length))
  expect('footer, distinct key columns', key.length, new Set(key).size)
  return { tableId: memory.u32[(footer + 24) >>> 2]!, columns, key }
}
