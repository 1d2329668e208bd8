/** Groups that came from another node, put into linear memory as another thread's would stand there, and merged. */
import { createGrouping } from '../../../kernel/grouping/grouping.ts'
import type { Grouping } from '../../../kernel/grouping/grouping.ts'
import type { GroupVector } from '../../../kernel/grouping/group-vector.ts'
import { createLimitedHeap } from '../../../kernel/grouping/limited-heap.ts'
import type { HeapBudget } from '../../../kernel/grouping/limited-heap.ts'
import type { Kernel } from '../../../kernel/kernel.ts'
import { clearMemory } from '../../../kernel/linear-memory.ts'
import type { Pointer } from '../../../kernel/linear-memory.ts'
import { accumulatorBytes, codeRangeBytes, scanKind } from '../../../kernel/scan.ts'
import { valuesOf } from '../../../lsm/groups/group-rows.ts'
import type { Groups } from '../../../lsm/groups/group-rows.ts'
import type { GroupsPart, InputPart } from '../../../lsm/groups/groups-part.ts'
import type { PhysicalKind } from '../../../lsm/layout.ts'
import type { Vector } from '../../../lsm/page.ts'
import { bitAt } from '../../../lsm/read/read-context.ts'
import { createByteReader } from '../../transport/wire/byte-reader.ts'
import type { ByteReader } from '../../transport/wire/byte-reader.ts'
import { groupMessageNumbers, groupRowsMax, stateNumbers } from '../wire/groups-format.ts'
import { readColumnHead } from '../wire/page-format.ts'
import { readName } from '../wire/values.ts'
import { memoryBytes, placeColumn, readSection } from './place-columns.ts'

/** Merges a message's groups. 08P01, with nothing merged, for what are no groups of the same make. */
export function mergeReceived(kernel: Kernel, budget: HeapBudget, groups: Groups, bytes: Uint8Array): void {
  const heap = createLimitedHeap(kernel.heap, budget, 'groups of another node')
  try {
    const reader = createByteReader(bytes, 'groups')
    const part = readPart({ ...kernel, heap }, groups, reader)
    reader.end()
    groups.merge(part)
  } finally {
    heap.freeAll()
  }
}

function readPart(kernel: Kernel, groups: Groups, reader: ByteReader): GroupsPart {
  const kind = readName(reader, 'kind of a message', groupMessageNumbers)
  const { columns, groupBy } = groups.work
  const groupCount = reader.count('groups', groupBy.length === 0 ? 1 : groupRowsMax)
  if (groupCount === 0) throw reader.wrong('groups', 'some', 0)
  const tables = readKeys(kernel, reader, groupBy.map((ordinal) => columns[ordinal]!), groupCount)
  const expected = groups.part().inputs
  const inputs = kind === 'groups' ? readStates(kernel, reader, groups, expected, groupCount) : readValues(kernel, reader, groupBy.length > 0, expected, groupCount)
  return { groupCount, tables, inputs }
}

/** Group tables that number the groups as the message does. */
function readKeys(kernel: Kernel, reader: ByteReader, kinds: readonly PhysicalKind[], groupCount: number): readonly Pointer[] {
  if (kinds.length === 0) return []
  const vectors = kinds.map((kind, i) => vectorOf(readColumn(kernel, reader, `key ${i}`, kind, groupCount)))
  const grouping = createGrouping(kernel, kinds)
  grouping.assign(vectors, 0, groupCount, kernel.heap.allocate(4 * groupCount))
  checkDistinct(reader, grouping, groupCount)
  return grouping.tables()
}

/** Each was met for the first time, so they are numbered in their order. */
function checkDistinct(reader: ByteReader, grouping: Grouping, count: number): void {
  if (grouping.groupCount !== count) throw reader.wrong('keys or values', `${count} that are distinct`, grouping.groupCount)
}

function readColumn({ heap, memory }: Kernel, reader: ByteReader, field: string, kind: PhysicalKind, rowCount: number): Vector {
  const head = readColumnHead(reader, field, kind), section = readSection(reader, field, head, rowCount)
  return placeColumn(memory, head, rowCount, section, heap.allocate(memoryBytes(head, rowCount)))
}

const vectorOf = (vector: Vector): GroupVector => ({ values: valuesOf(vector), nulls: vector.nulls })

function readStates(kernel: Kernel, reader: ByteReader, groups: Groups, expected: readonly InputPart[], groupCount: number): readonly InputPart[] {
  const lent: { readonly place: number; readonly lender: number }[] = []
  const inputs = expected.map((input, index): InputPart => {
    const kind = readName(reader, `state of input ${index}`, stateNumbers)
    // Either side may still lend the counts of rows, or count them itself.
    const countsRows = index === 0 && groups.work.aggregates.some(({ ordinal }) => ordinal === undefined)
    if (countsRows ? kind !== 'lent' && kind !== 'accumulators' : kind !== input.kind) throw reader.wrong(`state of input ${index}`, input.kind, kind)
    if (kind === 'lent') lent.push({ place: index, lender: reader.count('a lender', expected.length - 1) })
    if (kind === 'accumulators') return readAccumulators(kernel, reader, countsRows ? { stride: accumulatorBytes, of: 'i64' } : (input as Accumulators), groupCount)
    return input.kind === 'texts' ? readTexts(kernel, reader, input, groupCount) : emptyState(kernel, input, groupCount)
  })
  return inputs.map((input, index) => {
    const lender = lent.find(({ place }) => place === index)?.lender
    return lender === undefined ? input : lentBy(reader, inputs[lender]!, lender === index)
  })
}

type Accumulators = Extract<InputPart, { readonly kind: 'accumulators' }>

function lentBy(reader: ByteReader, lender: InputPart, isItself: boolean): InputPart {
  if (lender.kind !== 'accumulators' || isItself) throw reader.wrong('a lender', 'an input with accumulators', lender.kind)
  return { kind: 'lent', address: lender.address, stride: lender.stride }
}

function readAccumulators({ heap, memory: { u8, f64 } }: Kernel, reader: ByteReader, { stride, of }: Pick<Accumulators, 'stride' | 'of'>, groupCount: number): InputPart {
  const given = reader.count('bytes of an accumulator', accumulatorBytes)
  if (given !== stride) throw reader.wrong('bytes of an accumulator', String(stride), given)
  const address = heap.allocate(stride * groupCount)
  u8.set(reader.bytes('accumulators', stride * groupCount), address)
  for (let group = 0; group < groupCount; group++) checkCount(reader, f64[(address + stride * group) >>> 3]!)
  return { kind: 'accumulators', address, stride, of }
}

function checkCount(reader: ByteReader, count: number): void {
  if (!Number.isSafeInteger(count) || count < 0) throw reader.wrong('a count of a group', 'a whole number', count)
}

function readTexts(kernel: Kernel, reader: ByteReader, expected: Extract<InputPart, { readonly kind: 'texts' }>, groupCount: number): InputPart {
  const { ranges, extremes } = emptyTexts(kernel, expected, groupCount)
  const { u8, u32, f64 } = kernel.memory
  for (let group = 0; group < groupCount; group++) {
    const count = reader.double('a count of a group')
    checkCount(reader, count)
    f64[(ranges + codeRangeBytes * group) >>> 3] = count
  }
  const extremeCount = reader.count('extremes', extremes.length)
  if (extremeCount !== extremes.length) throw reader.wrong('extremes', String(extremes.length), extremeCount)
  for (const { isGreatest, bests } of extremes) {
    if (reader.flag('greatest') !== isGreatest) throw reader.wrong('greatest', String(isGreatest), !isGreatest)
    const texts = readColumn(kernel, reader, 'extremes', 'bytes', groupCount), refs = valuesOf(texts)
    for (let group = 0; group < groupCount; group++) if (!bitAt(u8, texts.nulls, group)) u32.copyWithin((bests >>> 2) + 2 * group, (refs >>> 2) + 2 * group, (refs >>> 2) + 2 * group + 2)
  }
  return { kind: 'texts', ranges, extremes }
}

function emptyTexts({ heap, memory }: Kernel, { extremes }: Extract<InputPart, { readonly kind: 'texts' }>, groupCount: number): Extract<InputPart, { readonly kind: 'texts' }> {
  const zeros = (byteLength: number): Pointer => {
    const address = heap.allocate(byteLength)
    clearMemory(memory, address, byteLength)
    return address
  }
  return { kind: 'texts', ranges: zeros(codeRangeBytes * groupCount), extremes: extremes.map(({ isGreatest }) => ({ isGreatest, bests: zeros(8 * groupCount) })) }
}

/** What an input has of groups without rows. */
function emptyState(kernel: Kernel, expected: InputPart, groupCount: number): InputPart {
  const { heap, exports, memory } = kernel
  switch (expected.kind) {
    case 'accumulators':
    case 'lent': {
      const { stride } = expected, address = heap.allocate(stride * groupCount)
      clearMemory(memory, address, stride * groupCount)
      if (expected.kind === 'accumulators' && stride === accumulatorBytes) exports.scanGroupedInit(address, 0, groupCount, scanKind[expected.of])
      return { ...expected, address }
    }
    case 'distinct':
      return { ...expected, table: createGrouping(kernel, [expected.of]).tables()[0]! }
    case 'texts':
      return emptyTexts(kernel, expected, groupCount)
  }
}

function readValues(kernel: Kernel, reader: ByteReader, isGrouped: boolean, expected: readonly InputPart[], groupCount: number): readonly InputPart[] {
  const index = reader.count('an input', expected.length - 1), input = expected[index]!
  if (input.kind !== 'distinct') throw reader.wrong('an input', 'one of DISTINCT', input.kind)
  const count = reader.count('values', groupRowsMax)
  if (count === 0) throw reader.wrong('values', 'some', 0)
  const parents = kernel.heap.allocate(4 * count), { u32 } = kernel.memory
  for (let row = 0; row < count; row++) {
    const group = reader.u32('group of a value')
    if (group >= groupCount) throw reader.wrong('group of a value', `below ${groupCount}`, group)
    u32[(parents >>> 2) + row] = group
  }
  const vector = vectorOf(readColumn(kernel, reader, 'values', input.of, count))
  const grouping = createGrouping(kernel, [input.of])
  grouping.assignColumn(0, vector, isGrouped ? parents : 0, 0, count, kernel.heap.allocate(4 * count))
  checkDistinct(reader, grouping, count)
  return expected.map((each, i) => (i === index ? { ...input, table: grouping.tables()[0]! } : emptyState(kernel, each, groupCount)))
}
