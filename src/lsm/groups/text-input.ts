/**
 * Least and greatest text (or bytes) by group. The extremes so far are kept in the heap; their first six bytes stand beside
 * them as a number, which decides most rows, and only a text that replaces one is copied.
 */
import type { Kernel } from '../../kernel/kernel.ts'
import type { LinearMemory, Pointer } from '../../kernel/linear-memory.ts'
import type { AggregateFunction } from '../tree.ts'
import { bitAt } from '../read/read-context.ts'
import type { GroupInput } from './group-input.ts'
import { valuesOf } from './group-rows.ts'

interface Extreme {
  /** 1 for the greatest, -1 for the least. */
  readonly sign: number
  /** By group; an address is undefined while there is no text. */
  readonly addresses: (Pointer | undefined)[]
  readonly byteLengths: number[]
  readonly capacities: number[]
  readonly prefixes: number[]
}

export function textInput(kernel: Kernel, ordinal: number): GroupInput {
  const { memory } = kernel
  const counts: number[] = []
  const extremes: Extreme[] = []
  const extremeOf = (sign: number): Extreme => {
    const found = extremes.find((extreme) => extreme.sign === sign) ?? { sign, addresses: [], byteLengths: [], capacities: [], prefixes: [] }
    if (!extremes.includes(found)) extremes.push(found)
    return found
  }
  return {
    ensure(groupCount) {
      for (let group = counts.length; group < groupCount; group++) counts.push(0)
    },
    add(groups, rows) {
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
