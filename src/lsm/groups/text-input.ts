/**
 * Least and greatest text (or bytes) by group. Of a chunk with a dictionary, which is sorted, its codes are compared; of
 * vectors texts are. Of each group one text of the rows that come together is left to be looked at. The extremes so far are kept
 * in the heap, so that a kernel can compare with them; their first six bytes also stand beside them as a number, which decides
 * most merges. Only a text that replaces one is copied.
 */
import { invariant } from '../../errors.ts'
import { createGroupArray } from '../../kernel/grouping/group-array.ts'
import type { GroupArray } from '../../kernel/grouping/group-array.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { clearMemory } from '../../kernel/linear-memory.ts'
import type { LinearMemory, Pointer } from '../../kernel/linear-memory.ts'
import { codeCellsScratchBytes, codeRangeBytes, noCode } from '../../kernel/scan.ts'
import type { AggregateFunction } from '../tree.ts'
import type { EntryGroups } from './assign-groups.ts'
import type { GroupInput } from './group-input.ts'
import type { Arena } from '../state/arena.ts'
import { valuesOf } from './group-rows.ts'
import type { GroupRows } from './group-rows.ts'
import type { InputPart } from './groups-part.ts'

interface Extreme {
  readonly isGreatest: boolean
  /** By group a ref, of address 0 while there is no text. */
  readonly bests: GroupArray
  readonly capacities: number[]
  readonly prefixes: number[]
}

interface TextState {
  readonly ordinal: number
  /** By group: how many texts, and their codes in one chunk (src/kernel/scan.ts). */
  readonly ranges: GroupArray
  readonly extremes: readonly Extreme[]
}

const refBytes = 8

export function textInput(kernel: Kernel, ordinal: number): GroupInput {
  const { memory } = kernel
  const extremes: Extreme[] = []
  const ranges = createGroupArray(kernel, codeRangeBytes, (address, from, to) => startRanges(memory, address, from, to))
  let groupCount = 0
  const extremeOf = (isGreatest: boolean): Extreme => {
    let found = extremes.find((extreme) => extreme.isGreatest === isGreatest)
    if (found === undefined) extremes.push((found = { isGreatest, bests: createGroupArray(kernel, refBytes, (address, from, to) => clearMemory(memory, address + refBytes * from, refBytes * (to - from))), capacities: [], prefixes: [] }))
    found.bests.ensure(groupCount)
    return found
  }
  return {
    ensure(count) {
      groupCount = count
      ranges.ensure(count)
      for (const { bests } of extremes) bests.ensure(count)
    },
    add(groups, rows, arena) {
      const state = { ordinal, ranges, extremes }
      if (!addByCodes(kernel, state, groups, rows, arena)) addTexts(kernel, state, groups, rows, arena)
    },
    addByEntries: (entries, rows, arena) => addByBoth(kernel, { ordinal, ranges, extremes }, entries, rows, arena),
    part: () => ({ kind: 'texts', ranges: ranges.address, extremes: extremes.map(({ isGreatest, bests }) => ({ isGreatest, bests: bests.address })) }),
    merge(part, map, partCount) {
      invariant(part.kind === 'texts', `texts are merged with ${part.kind}`)
      mergeTexts(kernel, { ordinal, ranges, extremes }, part, map, partCount)
    },
    finish() {},
    reader(wanted: AggregateFunction) {
      if (wanted === 'count') return (group) => memory.f64[elementOf(ranges, group) >>> 3]!
      const { bests } = extremeOf(wanted === 'max')
      return (group) => textAt(memory, elementOf(bests, group))
    },
  }
}

const elementOf = ({ address, stride }: GroupArray, group: number): Pointer => address + stride * group

function startRanges(memory: LinearMemory, address: Pointer, from: number, to: number): void {
  const { u32 } = memory
  clearMemory(memory, address + codeRangeBytes * from, codeRangeBytes * (to - from))
  for (let group = from; group < to; group++) u32[((address + codeRangeBytes * group) >>> 2) + 2] = noCode
}

/** Least and greatest code of the groups of one chunk; false when it has no dictionary. */
function addByCodes(kernel: Kernel, { ordinal, ranges, extremes }: TextState, groups: Pointer, rows: GroupRows, arena: Arena): boolean {
  const { exports } = kernel
  const { rowCount, selection } = rows
  const chunk = rows.chunk(ordinal)
  const codes = arena.allocate(4 * rowCount)
  const entries = chunk === 0 ? -1 : exports.scanGroupsCodes(chunk, 0, rowCount, codes)
  if (entries < 0) return false
  const touched = arena.allocate(4 * rowCount)
  const touchedCount = exports.scanGroupedCodes(groups, codes, entries, selection, rowCount, ranges.address, touched)
  keepTouched(kernel, { ordinal, ranges, extremes }, entryRefs(kernel, chunk, arena), touched, touchedCount, arena)
  return true
}

/** The same without the groups of single rows; false, with nothing done, where there are no codes, or too many. */
function addByBoth(kernel: Kernel, state: TextState, { chunk: keys, map }: EntryGroups, rows: GroupRows, arena: Arena): boolean {
  const { exports } = kernel, chunk = rows.chunk(state.ordinal)
  if (chunk === 0) return false
  const touched = arena.allocate(4 * rows.rowCount)
  const touchedCount = exports.scanGroupedCodesByEntry(keys, map, chunk, rows.selection, state.ranges.address, touched, arena.allocate(codeCellsScratchBytes))
  if (touchedCount < 0) return false
  keepTouched(kernel, state, entryRefs(kernel, chunk, arena), touched, touchedCount, arena)
  return true
}

/** The texts of a chunk's entries. */
function entryRefs({ exports }: Kernel, chunk: Pointer, arena: Arena): Pointer {
  const entries = exports.scanGroupsEntryCount(chunk), refs = arena.allocate(8 * (entries + 1))
  exports.scanGroupsEntries(chunk, refs, arena.allocate(((entries + 64) >>> 6) * 8))
  return refs
}

/** Keeps the extremes of the touched groups' codes, whose texts are `refs`, and forgets the codes. */
function keepTouched(kernel: Kernel, { ranges, extremes }: TextState, refs: Pointer, touched: Pointer, touchedCount: number, arena: Arena): void {
  const { exports, memory: { u32 } } = kernel, winners = arena.allocate(4 * touchedCount)
  for (const extreme of extremes) {
    const greatest = extreme.isGreatest ? 1 : 0
    const winnerCount = exports.scanGroupedCodesBeat(touched, touchedCount, ranges.address, greatest, refs, extreme.bests.address, winners)
    for (let i = 0; i < winnerCount; i++) {
      const group = u32[(winners >>> 2) + i]!, code = u32[(elementOf(ranges, group) >>> 2) + 2 + greatest]!
      keepText(kernel, extreme, group, u32[(refs >>> 2) + 2 * code]!, u32[(refs >>> 2) + 2 * code + 1]!)
    }
  }
  exports.scanGroupedCodesReset(touched, touchedCount, ranges.address)
}

function addTexts(kernel: Kernel, state: TextState, groups: Pointer, { rowCount, selection, vector }: GroupRows, arena: Arena): void {
  const { exports } = kernel, { ordinal, ranges } = state
  const texts = vector(ordinal), touched = arena.allocate(4 * rowCount)
  const touchedCount = exports.scanGroupedTexts(groups, valuesOf(texts), texts.nulls, selection, rowCount, ranges.address, touched)
  keepTouched(kernel, state, valuesOf(texts), touched, touchedCount, arena)
}

function mergeTexts(kernel: Kernel, { ranges, extremes }: TextState, part: Extract<InputPart, { readonly kind: 'texts' }>, map: Pointer, groupCount: number): void {
  const { u32, f64 } = kernel.memory
  for (let from = 0; from < groupCount; from++) {
    const group = map === 0 ? from : u32[(map >>> 2) + from]!
    f64[elementOf(ranges, group) >>> 3]! += f64[(part.ranges + codeRangeBytes * from) >>> 3]!
    for (const extreme of extremes) {
      const ref = (part.extremes.find(({ isGreatest }) => isGreatest === extreme.isGreatest)!.bests + refBytes * from) >>> 2
      if (u32[ref] !== 0 && beats(kernel.memory, extreme, group, u32[ref]!, u32[ref + 1]!)) keepText(kernel, extreme, group, u32[ref]!, u32[ref + 1]!)
    }
  }
}

function textAt({ u8, u32 }: LinearMemory, ref: Pointer): Uint8Array | null {
  const address = u32[ref >>> 2]!
  return address === 0 ? null : u8.slice(address, address + u32[(ref >>> 2) + 1]!)
}

/** Whether a text replaces the group's extreme so far. */
function beats({ u8, u32 }: LinearMemory, { isGreatest, bests, prefixes }: Extreme, group: number, address: Pointer, byteLength: number): boolean {
  const ref = elementOf(bests, group) >>> 2, best = u32[ref]!
  if (best === 0) return true
  const prefix = prefixAt(u8, address, byteLength), isTie = prefix === prefixes[group]
  const order = isTie ? Buffer.compare(u8.subarray(address, address + byteLength), u8.subarray(best, best + u32[ref + 1]!)) : prefix - prefixes[group]!
  return isGreatest ? order > 0 : order < 0
}

function keepText(kernel: Kernel, extreme: Extreme, group: number, address: Pointer, byteLength: number): void {
  const { u8, u32 } = kernel.memory
  const place = placeFor(kernel, extreme, group, byteLength)
  u8.copyWithin(place, address, address + byteLength)
  u32[(elementOf(extreme.bests, group) >>> 2) + 1] = byteLength
  extreme.prefixes[group] = prefixAt(u8, address, byteLength)
}

/** Memory of the group's text, with some to spare for longer ones. */
function placeFor({ heap, memory: { u32 } }: Kernel, { bests, capacities }: Extreme, group: number, byteLength: number): Pointer {
  const ref = elementOf(bests, group) >>> 2, before = u32[ref]!
  if (before !== 0 && capacities[group]! >= byteLength) return before
  const capacity = Math.max(16, byteLength + (byteLength >>> 2))
  const place = heap.allocate(capacity)
  if (before !== 0) heap.free(before)
  u32[ref] = place
  capacities[group] = capacity
  return place
}

/** The first six bytes as a number, zeros after the end: orders texts unless it is equal. */
function prefixAt(u8: Uint8Array, address: Pointer, byteLength: number): number {
  let prefix = 0
  for (let i = 0; i < 6; i++) prefix = prefix * 256 + (i < byteLength ? u8[address + i]! : 0)
  return prefix
}
