/** Group tables; twin of assembly/scan/group-table.ts, which draws their layout. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { createKeyHash, mix } from '../hash/hash.ts'

export const noGroup = 0xffff_ffff
const headerBytes = 48
const entryBytes = 24
const kindF64 = 2
const kindBytes = 3

export interface GroupTables {
  byteLength(groupCapacity: number, textCapacity: number): number
  init(table: Pointer, kind: number, groupCapacity: number, textCapacity: number): void
  count(table: Pointer): number
  isText(table: Pointer): boolean
  isF64(table: Pointer): boolean
  entry(table: Pointer, group: number): Pointer
  text(table: Pointer, entry: Pointer): Pointer
  /** Group of a fixed-size value given as halves, added when it is new; `noGroup` when the table is full. */
  ofValue(table: Pointer, low: number, high: number, parent: number, isNull: number): number
  /** The same for a text, whose bytes are copied into the table. */
  ofText(table: Pointer, text: Pointer, textBytes: number, parent: number, isNull: number): number
  copy(from: Pointer, into: Pointer): boolean
}

function slotCountFor(groupCapacity: number): number {
  let slots = 16
  while (slots < 2 * groupCapacity) slots *= 2
  return slots
}

export function createGroupTables(memory: LinearMemory): GroupTables {
  const { u8, u32 } = memory
  const { firstOfBytes } = createKeyHash(memory)
  const field = (table: Pointer, offset: number): number => u32[(table + offset) >>> 2]!
  const entry = (table: Pointer, group: number): Pointer => table + field(table, 28) + group * entryBytes
  const text = (table: Pointer, at: Pointer): Pointer => table + field(table, 32) + u32[at >>> 2]!

  const addGroup = (table: Pointer, slot: number, hash: number, low: number, high: number, parent: number, isNull: number): number => {
    const group = field(table, 12)
    if (group === field(table, 8)) return noGroup
    const at = entry(table, group) >>> 2
    u32[at] = low
    u32[at + 1] = high
    u32[at + 2] = parent
    u32[at + 3] = isNull
    u32[at + 4] = hash
    u32[at + 5] = 0
    u32[slot] = hash
    u32[slot + 1] = group + 1
    u32[(table >>> 2) + 3] = group + 1
    return group
  }
  const addText = (table: Pointer, slot: number, hash: number, from: Pointer, textBytes: number, parent: number, isNull: number): number => {
    const used = field(table, 20)
    if (textBytes > field(table, 16) - used) return noGroup
    const group = addGroup(table, slot, hash, used, textBytes, parent, isNull)
    if (group === noGroup) return noGroup
    u8.copyWithin(table + field(table, 32) + used, from, from + textBytes)
    u32[(table + 20) >>> 2] = used + textBytes
    return group
  }
  const equalTexts = (a: Pointer, b: Pointer, byteLength: number): boolean => {
    for (let i = 0; i < byteLength; i++) if (u8[a + i] !== u8[b + i]) return false
    return true
  }

  return {
    entry,
    text,
    count: (table) => field(table, 12),
    isText: (table) => field(table, 0) === kindBytes,
    isF64: (table) => field(table, 0) === kindF64,
    byteLength: (groupCapacity, textCapacity) => headerBytes + slotCountFor(groupCapacity) * 8 + groupCapacity * entryBytes + ((textCapacity + 7) & ~7),
    init(table, kind, groupCapacity, textCapacity) {
      const slots = slotCountFor(groupCapacity), at = table >>> 2
      u32.fill(0, at, at + headerBytes / 4 + 2 * slots)
      u32.set([kind, slots, groupCapacity, 0, textCapacity, 0, headerBytes, headerBytes + 8 * slots, headerBytes + 8 * slots + groupCapacity * entryBytes], at)
    },
    ofValue(table, low, high, parent, isNull) {
      const hash = mix(Math.imul(low, 0xcc9e2d51) ^ Math.imul(high + isNull, 0x1b873593) ^ Math.imul(parent, 0x9e3779b1)) >>> 0
      const slots = (table + headerBytes) >>> 2, last = field(table, 4) - 1
      for (let at = hash & last; ; at = (at + 1) & last) {
        const slot = slots + 2 * at, next = u32[slot + 1]!
        if (next === 0) return addGroup(table, slot, hash, low, high, parent, isNull)
        if (u32[slot] !== hash) continue
        const found = entry(table, next - 1) >>> 2
        if (u32[found] === low >>> 0 && u32[found + 1] === high >>> 0 && u32[found + 2] === parent && u32[found + 3] === isNull) return next - 1
      }
    },
    ofText(table, from, textBytes, parent, isNull) {
      const hash = ((firstOfBytes(from, textBytes) ^ Math.imul(parent, 0x9e3779b1)) + isNull) >>> 0
      const slots = (table + headerBytes) >>> 2, last = field(table, 4) - 1
      for (let at = hash & last; ; at = (at + 1) & last) {
        const slot = slots + 2 * at, next = u32[slot + 1]!
        if (next === 0) return addText(table, slot, hash, from, textBytes, parent, isNull)
        if (u32[slot] !== hash) continue
        const found = entry(table, next - 1), word = found >>> 2
        if (u32[word + 1] === textBytes && u32[word + 2] === parent && u32[word + 3] === isNull && equalTexts(text(table, found), from, textBytes)) return next - 1
      }
    },
    copy(from, into) {
      const groups = field(from, 12), textUsed = field(from, 20)
      if (groups > field(into, 8) || textUsed > field(into, 16)) return false
      u8.copyWithin(entry(into, 0), entry(from, 0), entry(from, groups))
      const texts = from + field(from, 32)
      u8.copyWithin(into + field(into, 32), texts, texts + textUsed)
      u32[(into >>> 2) + 3] = groups
      u32[(into >>> 2) + 5] = textUsed
      const slots = (into + headerBytes) >>> 2, last = field(into, 4) - 1
      for (let group = 0; group < groups; group++) {
        const hash = u32[(entry(into, group) >>> 2) + 4]!
        let at = hash & last
        while (u32[slots + 2 * at + 1] !== 0) at = (at + 1) & last
        u32[slots + 2 * at] = hash
        u32[slots + 2 * at + 1] = group + 1
      }
      return true
    },
  }
}
