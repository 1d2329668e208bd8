/** Twin of assembly/column.ts. */
import type { ColumnExports } from '../column.ts'
import type { LinearMemory } from '../linear-memory.ts'
import { createBlockBounds } from './column/blocks/bounds.ts'
import { codesBytes, createChunkWriter } from './column/chunk-write.ts'
import { createDictionaryBuilder } from './column/dictionary.ts'
import { createColumnExpand } from './column/expand.ts'
import { createFindKey } from './column/keys/find-key.ts'
import { createKeyGuide } from './column/keys/key-guide.ts'
import { createColumnFront } from './column/front.ts'
import { createColumnGather } from './column/gather.ts'
import { createKeyIndex } from './column/keys/key-index.ts'
import { createGetNewest } from './column/keys/newest.ts'
import { blockCount, blockRows, createChunkLayout, entryBytes, headerBytes, nullBitmapBytes } from './column/layout.ts'
import { createColumnNulls } from './column/nulls.ts'
import { createNumberReaders } from './column/numbers.ts'
import { createDecimalWriter, createIntegerWriter } from './column/numbers-write.ts'
import { createColumnParts } from './column/parts.ts'
import { createTextPlaces, createTextReaders } from './column/text.ts'
import { createTextWriter, textScratchBytes } from './column/text-write.ts'
import { createValidator } from './column/validate.ts'
import { createChecksumJs } from './checksum.ts'
import { createLzJs } from './lz.ts'

export function createColumnJs(memory: LinearMemory): ColumnExports {
  const layout = createChunkLayout(memory), lz = createLzJs(memory)
  const nulls = createColumnNulls(memory, layout)
  const writer = createChunkWriter(memory, layout, nulls)
  const places = createTextPlaces(memory, layout, lz)
  const { writeSums, ...partReaders } = createColumnParts(memory, layout, places, createChecksumJs(memory))
  const front = createColumnFront(memory, layout, places)
  const getters = { ...createNumberReaders(memory, layout, nulls), ...createTextReaders(memory, layout, nulls, places) }
  const { columnEncodeI64, writeFixed } = createIntegerWriter(memory, layout, writer)
  const { valueBeside, ...keyIndex } = createKeyIndex(memory, layout, places, getters), columnFindKey = createFindKey(memory, layout, getters)
  return {
    columnEncodeBound: (count, dataBytes) => headerBytes + nullBitmapBytes(count) + blockCount(count) * (entryBytes + 16) + count * 8 + 16 + dataBytes,
    columnScratchBytes: (count, dataBytes) => Math.max(codesBytes + blockRows * 8 + count * 8, textScratchBytes(count, dataBytes, lz)),
    columnEncodeI64,
    ...createDecimalWriter(memory, layout, writer, writeFixed),
    ...createTextWriter(memory, { layout, writer, places, dictionaries: createDictionaryBuilder(memory), lz, writeSums }),
    columnCount: (chunk) => layout.count(chunk),
    columnByteLength: (chunk) => layout.byteLength(chunk),
    columnKind: (chunk) => layout.kind(chunk),
    columnEncoding: (chunk) => layout.encoding(chunk),
    columnHasNulls: (chunk) => layout.flags(chunk) & 1,
    columnValidate: createValidator(memory, layout, places, front),
    ...getters,
    columnFindKey,
    ...createKeyGuide(memory, layout, places),
    ...keyIndex,
    ...createGetNewest(memory, layout, { ...getters, ...keyIndex, columnFindKey, valueBeside }),
    columnFront: front.columnFront,
    ...createColumnExpand(memory, layout, places, front),
    ...createColumnGather(memory, layout, getters),
    ...createBlockBounds(memory, layout, getters),
    ...partReaders,
  }
}
