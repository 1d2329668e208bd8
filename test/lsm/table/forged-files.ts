/** Table files with changed contents and right checksums: lies that no checksum can find. */
import type { Kernel } from '../../../src/kernel/kernel.ts'
import { trailerBytes } from '../../../src/lsm/table/format.ts'
import { tableFileName } from '../../../src/lsm/table/table-file-name.ts'
import type { TableMeta } from '../../../src/lsm/table/table.ts'
import { shard } from './table-files.ts'
import type { TableFixture } from './table-files.ts'

/** The bytes of a file, to be changed in place. */
export function fileBytes({ disk }: TableFixture, meta: TableMeta): Uint8Array {
  const file = disk.get(tableFileName(shard, meta.fileNumber))!
  return file.room.subarray(0, file.byteLength)
}

/** xxh64 of bytes as 8 bytes. */
export function checksum({ heap, memory, exports }: Kernel, bytes: Uint8Array): Uint8Array {
  const address = heap.allocate(bytes.length + 16)
  memory.u8.set(bytes, address + 8)
  exports.checksumXxh64(address + 8, bytes.length, address)
  const sum = memory.u8.slice(address, address + 8)
  heap.free(address)
  return sum
}

export function forgeFooter(fixture: TableFixture, meta: TableMeta, change: (footer: Uint8Array) => unknown, changeTrailer: (trailer: Uint8Array) => unknown = () => undefined): void {
  const { trailer, filter, footer } = tailParts(fixture, meta)
  change(footer)
  trailer.set(checksum(fixture.kernel, filter), 16)
  trailer.set(checksum(fixture.kernel, footer), 24)
  changeTrailer(trailer)
  trailer.set(checksum(fixture.kernel, trailer.subarray(0, trailerBytes - 8)), trailerBytes - 8)
}

export function tailParts(fixture: TableFixture, meta: TableMeta): { readonly filter: Uint8Array; readonly footer: Uint8Array; readonly trailer: Uint8Array } {
  const bytes = fileBytes(fixture, meta)
  const trailer = bytes.subarray(meta.byteLength - trailerBytes)
  const filterBytes = new DataView(trailer.buffer, trailer.byteOffset).getUint32(8, true)
  const start = meta.byteLength - meta.tailBytes
  return { filter: bytes.subarray(start, start + filterBytes), footer: bytes.subarray(start + filterBytes, meta.byteLength - trailerBytes), trailer }
}
