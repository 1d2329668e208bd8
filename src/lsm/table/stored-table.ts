/** What a manifest says of a table file, read from the file itself: for people who look at it, and where the manifest is lost. */
import { corruption } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import type { Storage } from '../../storage/storage.ts'
import type { TableLayout } from '../layout.ts'
import { footerHeaderBytes, headerBytes, refBytes, trailerBytes, trailerMagic } from './format.ts'
import { checkVersion, expectChecksum, expectIn, footerShape, readTail } from './read/tail.ts'
import type { TableMeta } from './table.ts'
import { createArena, readToArena } from './verify/arena.ts'

export interface StoredTable {
  readonly meta: TableMeta
  readonly layout: TableLayout
}

/** XX001 when filter, footer or trailer are damaged, XX002 for another version. Row groups are not read. */
export async function storedTable(storage: Storage, kernel: Kernel, file: string): Promise<StoredTable> {
  const object = await storage.open(file)
  const arena = createArena(kernel)
  try {
    if (object.byteLength < headerBytes + footerHeaderBytes + trailerBytes) throw corruption('table file', { file, block: 'file length', expected: `at least ${headerBytes + footerHeaderBytes + trailerBytes}`, actual: String(object.byteLength) })
    const trailer = await readToArena(object, kernel, arena, object.byteLength - trailerBytes, trailerBytes)
    const { filterBytes, footerBytes } = trailerSizes(kernel, file, trailer)
    const tailBytes = filterBytes + footerBytes + trailerBytes
    if (tailBytes > object.byteLength - headerBytes) throw corruption('table file', { file, block: 'tail length', expected: `at most ${object.byteLength - headerBytes}`, actual: String(tailBytes) })
    const tail = await readToArena(object, kernel, arena, object.byteLength - tailBytes, tailBytes)
    expectChecksum(kernel, file, 'footer', tail + filterBytes, footerBytes, trailer + 24)
    const meta = metaOf(kernel, file, tail + filterBytes, footerBytes, object.byteLength, tailBytes)
    return { meta, layout: readTail(kernel, file, meta, tail).layout }
  } finally {
    arena.free()
    await object.close()
  }
}

function trailerSizes(kernel: Kernel, file: string, trailer: Pointer): { readonly filterBytes: number; readonly footerBytes: number } {
  const { view, buffer } = kernel.memory
  expectIn(file)('trailer magic', trailerMagic, buffer.toString('latin1', trailer + 48, trailer + 56))
  expectChecksum(kernel, file, 'trailer', trailer, trailerBytes - 8, trailer + trailerBytes - 8)
  checkVersion(file, view.getUint16(trailer + 32, true), view.getUint16(trailer + 34, true))
  return { filterBytes: view.getUint32(trailer + 8, true), footerBytes: view.getUint32(trailer + 12, true) }
}

function metaOf(kernel: Kernel, file: string, footer: Pointer, footerBytes: number, byteLength: number, tailBytes: number): TableMeta {
  const { view, u8 } = kernel.memory
  const { shape, sections } = footerShape(kernel, file, footer, footerBytes)
  const keyAt = (index: number): Uint8Array => {
    const ref = footer + sections.keyBounds + index * refBytes
    const [offset, keyBytes] = [view.getUint32(ref, true), view.getUint32(ref + 4, true)]
    expectIn(file)('footer, key bounds within its data', true, offset + keyBytes <= shape.dataBytes)
    return u8.slice(footer + sections.data + offset, footer + sections.data + offset + keyBytes)
  }
  const number = (at: number): number => view.getFloat64(footer + at, true)
  return {
    fileNumber: number(32), tableId: view.getUint32(footer + 24, true), byteLength, tailBytes,
    rowCount: number(40), tombstoneCount: number(48), rowGroupCount: shape.rowGroupCount,
    minKey: keyAt(0), maxKey: keyAt(1), minSequence: number(56), maxSequence: number(64), rangeTombstoneCount: shape.rangeTombstoneCount,
  }
}
