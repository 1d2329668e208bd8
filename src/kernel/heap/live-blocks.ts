/**
 * The blocks in use by address: a hash table with linear probing. A `Map` of some thousand addresses takes microseconds
 * for each that comes and goes, as long as all else that a short read does with its memory.
 */
import type { Pointer } from '../linear-memory.ts'
import { granuleBytes } from './heap-blocks.ts'
import type { BlockId } from './heap-blocks.ts'

export interface LiveBlocks {
  /** Of an address that is not there. */
  add(address: Pointer, id: BlockId): void
  /** Takes an address out; 0 when it is not there. */
  take(address: Pointer): BlockId
}

const smallestBits = 10
/** Fibonacci hashing (Knuth). */
const multiplier = 0x9e37_79b1

interface Table {
  bits: number
  /** Address and id in turn; address 0: empty. */
  slots: Int32Array
  count: number
}

export function createLiveBlocks(): LiveBlocks {
  const table: Table = { bits: smallestBits, slots: new Int32Array(2 << smallestBits), count: 0 }
  return {
    add(address, id) {
      if (2 * table.count >= 1 << table.bits) grow(table)
      put(table, address, id)
      table.count++
    },
    take(address) {
      const slot = slotOf(table, address)
      const id = table.slots[2 * slot + 1]!
      if (table.slots[2 * slot] === 0) return 0
      table.count--
      close(table, slot)
      return id
    },
  }
}

const homeOf = ({ bits }: Table, address: Pointer): number => Math.imul(address / granuleBytes, multiplier) >>> (32 - bits)

/** Where an address is, or would be. */
function slotOf(table: Table, address: Pointer): number {
  const { slots, bits } = table, mask = (1 << bits) - 1
  let slot = homeOf(table, address)
  while (slots[2 * slot] !== 0 && slots[2 * slot] !== address) slot = (slot + 1) & mask
  return slot
}

function put(table: Table, address: Pointer, id: BlockId): void {
  const slot = slotOf(table, address)
  table.slots[2 * slot] = address
  table.slots[2 * slot + 1] = id
}

/** Empties a slot, moving into it what was pushed past it. */
function close(table: Table, emptied: number): void {
  const { slots, bits } = table, mask = (1 << bits) - 1
  let hole = emptied
  for (let slot = (hole + 1) & mask; slots[2 * slot] !== 0; slot = (slot + 1) & mask) {
    const distance = (slot - homeOf(table, slots[2 * slot]!)) & mask
    if (distance < ((slot - hole) & mask)) continue
    slots[2 * hole] = slots[2 * slot]!
    slots[2 * hole + 1] = slots[2 * slot + 1]!
    hole = slot
  }
  slots[2 * hole] = 0
}

function grow(table: Table): void {
  const { slots } = table
  table.bits++
  table.slots = new Int32Array(2 << table.bits)
  for (let i = 0; i < slots.length; i += 2) if (slots[i] !== 0) put(table, slots[i]!, slots[i + 1]!)
}
