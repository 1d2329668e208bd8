/**
 * Groups as bytes for another node, a message at a time: keys and state of some groups, then the values of DISTINCT in the
 * order of their groups, so that each message stands for itself and the other side merges it and forgets it.
 */
import type { Kernel } from '../../../kernel/kernel.ts'
import type { Pointer } from '../../../kernel/linear-memory.ts'
import { codeRangeBytes } from '../../../kernel/scan.ts'
import type { Groups } from '../../../lsm/groups/group-rows.ts'
import type { GroupsPart, InputPart } from '../../../lsm/groups/groups-part.ts'
import type { PhysicalKind } from '../../../lsm/layout.ts'
import type { Vector } from '../../../lsm/page.ts'
import type { Pace } from '../../../runtime/pace.ts'
import { createByteWriter } from '../../transport/wire/byte-writer.ts'
import type { ByteWriter } from '../../transport/wire/byte-writer.ts'
import { groupMessageNumbers, groupRowsMax, stateNumbers } from '../wire/groups-format.ts'
import { columnBytes, writeColumnHead } from '../wire/page-format.ts'
import { columnHead, encodeColumn, isText, textLength } from './encode-columns.ts'
import { valuesByGroup } from './values-by-group.ts'
import type { ValuesByGroup } from './values-by-group.ts'

/** Bytes of texts after which a message ends. */
const textBytesMax = 256 * 1024

/** `kernel.heap` takes what is needed beside the groups. They are not added to any more, and not finished. */
export async function* groupMessages(kernel: Kernel, groups: Groups, pace: Pace): AsyncGenerator<Uint8Array> {
  const part = groups.part()
  for (let first = 0; first < part.groupCount; ) {
    const pause = pace.turn()
    if (pause !== undefined) await pause
    const { message, count } = groupsMessage(kernel, groups, part, first)
    yield message
    first += count
  }
  for (const [index, input] of part.inputs.entries()) if (input.kind === 'distinct') yield* valueMessages(kernel, groups, input, index, pace)
}

/** As many groups from `first` on as fit. */
function groupsMessage(kernel: Kernel, groups: Groups, part: GroupsPart, first: number): { readonly message: Uint8Array; readonly count: number } {
  const all = Math.min(groupRowsMax, part.groupCount - first)
  const keys = readKeys(groups, first, all)
  try {
    const extremes = part.inputs.flatMap((input) => (input.kind === 'texts' ? input.extremes.map(({ bests }) => textsOf(kernel, bests, first, all)) : []))
    try {
      const texts = [...keys.vectors, ...extremes.map(({ vector }) => vector)].filter(isText)
      const count = fitting(all, (row) => texts.reduce((sum, text) => sum + textLength(kernel.memory, text, row), 0))
      const writer = createByteWriter(64 * 1024)
      writer.u8(groupMessageNumbers.groups)
      writeKeys(kernel, writer, keys.vectors, count)
      const waiting = extremes.map(({ vector }) => vector)
      for (const input of part.inputs) writeState(kernel, writer, part, input, first, count, () => waiting.shift()!)
      return { message: writer.done(), count }
    } finally {
      for (const { free } of extremes) free()
    }
  } finally {
    keys.free()
  }
}

/** How many of the rows, at least one, have not too many bytes of text. */
function fitting(rowCount: number, textBytesOf: (row: number) => number): number {
  let count = 0
  for (let byteLength = 0; count < rowCount && byteLength < textBytesMax; count++) byteLength += textBytesOf(count)
  return count
}

function readKeys(groups: Groups, first: number, count: number): { readonly vectors: readonly Vector[]; free(): void } {
  const { columns, groupBy } = groups.work
  const keys = groups.keys(first, count)
  return { vectors: keys?.vectors.map(({ values, nulls }, i) => vectorOf(columns[groupBy[i]!]!, values, nulls)) ?? [], free: () => keys?.free() }
}

const vectorOf = (kind: PhysicalKind, values: Pointer, nulls: Pointer): Vector => (kind === 'bytes' ? { kind, refs: values, nulls } : { kind, values, nulls })

/** The extremes of groups from `first` on as a vector: refs of address 0 are nulls. */
function textsOf({ heap, memory: { u8, u32 } }: Kernel, bests: Pointer, first: number, count: number): { readonly vector: Vector; free(): void } {
  const nullsLength = Math.ceil(count / 64) * 8, nulls = heap.allocate(nullsLength)
  u8.fill(0, nulls, nulls + nullsLength)
  for (let row = 0; row < count; row++) if (u32[(bests >>> 2) + 2 * (first + row)] === 0) u8[nulls + (row >>> 3)]! |= 1 << (row & 7)
  return { vector: { kind: 'bytes', refs: bests + 8 * first, nulls }, free: () => heap.free(nulls) }
}

const rowNumbers = (count: number): readonly number[] => Array.from({ length: count }, (_, row) => row)

function writeKeys(kernel: Kernel, writer: ByteWriter, keys: readonly Vector[], count: number): void {
  writer.count(count)
  for (const key of keys) writeColumn(kernel, writer, key, count)
}

function writeColumn({ memory }: Kernel, writer: ByteWriter, column: Vector, count: number): void {
  const rows = rowNumbers(count), head = columnHead(memory, column, rows)
  const section = Buffer.allocUnsafe(columnBytes(head, count))
  encodeColumn(memory, column, rows, head, section, 0)
  writeColumnHead(writer, head)
  writer.bytes(section)
}

function writeState(kernel: Kernel, writer: ByteWriter, part: GroupsPart, input: InputPart, first: number, count: number, nextExtreme: () => Vector): void {
  const { u8, f64 } = kernel.memory
  writer.u8(stateNumbers[input.kind])
  switch (input.kind) {
    case 'accumulators': {
      const { address, stride } = input
      writer.count(stride)
      return writer.bytes(u8.subarray(address + stride * first, address + stride * (first + count)))
    }
    case 'lent':
      return writer.count(part.inputs.findIndex((each) => each.kind === 'accumulators' && each.address === input.address))
    case 'distinct':
      return
    case 'texts':
      for (let group = first; group < first + count; group++) writer.f64(f64[(input.ranges + codeRangeBytes * group) >>> 3]!)
      writer.count(input.extremes.length)
      for (const { isGreatest } of input.extremes) {
        writer.flag(isGreatest)
        writeColumn(kernel, writer, nextExtreme(), count)
      }
  }
}

/** The values of one input. */
async function* valueMessages(kernel: Kernel, groups: Groups, { table, of }: Extract<InputPart, { readonly kind: 'distinct' }>, index: number, pace: Pace): AsyncGenerator<Uint8Array> {
  const values = await valuesByGroup(kernel, table, groups.groupCount, of, pace)
  try {
    for (let first = 0; first < values.count; ) {
      const pause = pace.turn()
      if (pause !== undefined) await pause
      const { message, count } = valuesMessage(kernel, groups, values, index, first)
      yield message
      first += count
    }
  } finally {
    values.free()
  }
}

/** As many values from `first` on as fit, with the keys of their groups. */
function valuesMessage(kernel: Kernel, groups: Groups, values: ValuesByGroup, index: number, first: number): { readonly message: Uint8Array; readonly count: number } {
  const { memory } = kernel
  const { vector, count: all, groupOf } = values.read(first)
  const fits = fitting(all, (row) => (isText(vector) ? textLength(memory, vector, row) : 0))
  const firstGroup = groupOf(0), keys = readKeys(groups, firstGroup, groupOf(fits - 1) - firstGroup + 1)
  try {
    const texts = keys.vectors.filter(isText)
    const groupCount = fitting(groupOf(fits - 1) - firstGroup + 1, (row) => texts.reduce((sum, text) => sum + textLength(memory, text, row), 0))
    let count = fits
    while (groupOf(count - 1) >= firstGroup + groupCount) count--
    const writer = createByteWriter(64 * 1024)
    writer.u8(groupMessageNumbers.values)
    writeKeys(kernel, writer, keys.vectors, groupCount)
    writer.count(index)
    writer.count(count)
    for (let row = 0; row < count; row++) writer.u32(groupOf(row) - firstGroup)
    writeColumn(kernel, writer, vector, count)
    return { message: writer.done(), count }
  } finally {
    keys.free()
  }
}
