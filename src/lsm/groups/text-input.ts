/**
 * Least and greatest text (or bytes) by group. Of a chunk with a dictionary, which is sorted, its codes are compared, and of
 * each group one text of the chunk is left to be looked at. The extremes so far are kept in the heap; their first six bytes stand beside
 * them as a number, which decides most rows, and only a text that replaces one is copied.
 */
import type { Kernel } from '../../kernel/kernel.ts'
import type { LinearMemory, Pointer } from '../../kernel/linear-memory.ts'
import type { AggregateFunction } from '../tree.ts'
import { bitAt } from '../read/read-context.ts'
import type { GroupInput } from './group-input.ts'
import type { Arena } from '../state/arena.ts'
import { valuesOf } from './group-rows.ts'
import type { GroupRows } from './group-rows.ts'

interface Extreme {
  /** 1 for the greatest, -1 for the least. */
  readonly sign: number
  /** By group; an address is undefined while there is no text. */
  readonly addresses: (Pointer | undefined)[]
  readonly byteLengths: number[]
  readonly capacities: number[]
  readonly prefixes: number[]
}

/** Codes of one chunk by group; between chunks there are none. */
interface CodeRange {
  readonly least: Int32Array
  readonly greatest: Int32Array
}
const noCode = -1

interface TextState {
  readonly counts: number[]
  readonly extremes: readonly Extreme[]
  readonly codes: CodeRange
}

export function textInput(kernel: Kernel, ordinal: number): GroupInput {
  const { memory } = kernel
  const counts: number[] = []
  let codes: CodeRange = { least: new Int32Array(), greatest: new Int32Array() }
  const extremes: Extreme[] = []
  const extremeOf = (sign: number): Extreme => {
    const found = extremes.find((extreme) => extreme.sign === sign) ?? { sign, addresses: [], byteLengths: [], capacities: [], prefixes: [] }
    if (!extremes.includes(found)) extremes.push(found)
    return found
  }
  return {
    ensure(groupCount) {
      for (let group = counts.length; group < groupCount; group++) counts.push(0)
      if (codes.least.length < groupCount) codes = { least: new Int32Array(2 * groupCount).fill(noCode), greatest: new Int32Array(2 * groupCount) }
    },
    add(groups, rows, arena) {
      if (addByCodes(kernel, ordinal, { counts, extremes, codes }, groups, rows, arena)) return
      const { u8, u32 } = memory
      const vector = rows.vector(ordinal), refs = valuesOf(vector) >>> 2
      for (let row = 0; row < rows.rowCount; row++) {
        if ((rows.selection !== 0 && !bitAt(u8, rows.selection, row)) || bitAt(u8, vector.nulls, row)) continue
        const group = u32[(groups >>> 2) + row]!
        counts[group]! += 1
        for (const extreme of extremes) addText(kernel, extreme, group, u32[refs + 2 * row]!, u32[refs + 2 * row + 1]!)
      }
    },
    finish() {},
    reader(wanted: AggregateFunction) {
      if (wanted === 'count') return (group) => counts[group]!
      const extreme = extremeOf(wanted === 'max' ? 1 : -1)
      return (group) => textOf(memory, extreme, group) ?? null
    },
  }
}

/** Least and greatest code of the groups of one chunk; false when it has no dictionary. */
function addByCodes(kernel: Kernel, ordinal: number, { counts, extremes, codes: { least, greatest } }: TextState, groups: Pointer, rows: GroupRows, arena: Arena): boolean {
  const { exports, memory: { u8, u32 } } = kernel
  const { rowCount, selection } = rows
  const chunk = rows.chunk(ordinal)
  const codes = arena.allocate(4 * rowCount)
  const entries = chunk === 0 ? -1 : exports.scanGroupsCodes(chunk, 0, rowCount, codes)
  if (entries < 0) return false
  const refs = arena.allocate(8 * (entries + 1))
  exports.scanGroupsEntries(chunk, refs, arena.allocate(((entries + 64) >>> 6) * 8))
  const touched: number[] = []
  for (let row = 0; row < rowCount; row++) {
    const code = u32[(codes >>> 2) + row]!
    if (code === entries || (selection !== 0 && !bitAt(u8, selection, row))) continue
    const group = u32[(groups >>> 2) + row]!
    counts[group]! += 1
    if (least[group] === noCode) {
      touched.push(group)
      least[group] = greatest[group] = code
    } else if (code < least[group]!) least[group] = code
    else if (code > greatest[group]!) greatest[group] = code
  }
  for (const extreme of extremes) {
    for (const group of touched) {
      const ref = (refs >>> 2) + 2 * (extreme.sign > 0 ? greatest : least)[group]!
      addText(kernel, extreme, group, u32[ref]!, u32[ref + 1]!)
    }
  }
  for (const group of touched) least[group] = noCode
  return true
}

function textOf({ u8 }: LinearMemory, { addresses, byteLengths }: Extreme, group: number): Uint8Array | undefined {
  const address = addresses[group]
  return address === undefined ? undefined : u8.slice(address, address + byteLengths[group]!)
}

function addText(kernel: Kernel, extreme: Extreme, group: number, address: Pointer, byteLength: number): void {
  const { memory: { u8 } } = kernel
  const { sign, addresses, byteLengths, prefixes } = extreme
  const prefix = prefixAt(u8, address, byteLength)
  const best = addresses[group]
  if (best !== undefined) {
    const isTie = prefix === prefixes[group]
    const order = isTie ? Buffer.compare(u8.subarray(address, address + byteLength), u8.subarray(best, best + byteLengths[group]!)) : prefix - prefixes[group]!
    if (order * sign <= 0) return
  }
  const place = placeFor(kernel, extreme, group, byteLength)
  u8.copyWithin(place, address, address + byteLength)
  byteLengths[group] = byteLength
  prefixes[group] = prefix
}

/** Memory of the group's text, with some to spare for longer ones. */
function placeFor({ heap }: Kernel, { addresses, capacities }: Extreme, group: number, byteLength: number): Pointer {
  const before = addresses[group]
  if (before !== undefined && capacities[group]! >= byteLength) return before
  const capacity = Math.max(16, byteLength + (byteLength >>> 2))
  const place = heap.allocate(capacity)
  if (before !== undefined) heap.free(before)
  addresses[group] = place
  capacities[group] = capacity
  return place
}

/** The first six bytes as a number, zeros after the end: orders texts unless it is equal. */
function prefixAt(u8: Uint8Array, address: Pointer, byteLength: number): number {
  let prefix = 0
  for (let i = 0; i < 6; i++) prefix = prefix * 256 + (i < byteLength ? u8[address + i]! : 0)
  return prefix
}
