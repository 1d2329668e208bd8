/**
 * Group tables: which group a key belongs to. One region that the caller brings, without pointers into itself, so
 * that it can be copied:
 *
 *   header  48 bytes
 *     0  u32  kind 1 i64, 2 f64, 3 bytes
 *     4  u32  slotCount, a power of 2, at least twice groupCapacity
 *     8  u32  groupCapacity
 *    12  u32  groupCount
 *    16  u32  textCapacity
 *    20  u32  textUsed
 *    24  u32  slotsOffset    slotCount × 8: u32 hash, u32 group + 1 (0 = free); linear probing
 *    28  u32  groupsOffset   groupCapacity × 24: u64 value (for text u32 offset, u32 length), u32 parent, u32 is null,
 *                            u32 hash, u32 0
 *    32  u32  textOffset     the texts of the groups
 *    36  12 reserved
 *
 * A key is (parent, value): the group of the columns before, and this column's value, NULL being a value of its own.
 * So keys of many columns need no encoding: each column has a table that refines the groups of the one before.
 */
import { NAN_BITS } from '../compare/interval'
import { textPrefix } from '../compare/text'
import { hashBytes64, mix } from '../hash/hash'

export const GROUP_BYTES: usize = 24
export const NO_GROUP: u32 = 0xffffffff
const headerBytes: u32 = 48
const kindF64: u32 = 2
const kindBytes: u32 = 3

export function tableKind(table: usize): u32 { return load<u32>(table) }
export function tableGroupCount(table: usize): u32 { return load<u32>(table, 12) }
export function groupAddress(table: usize, group: u32): usize {
  return table + load<u32>(table, 28) + <usize>group * GROUP_BYTES
}
export function groupParent(entry: usize): u32 { return load<u32>(entry, 8) }
export function groupIsNull(entry: usize): u32 { return load<u32>(entry, 12) }
export function groupText(table: usize, entry: usize): usize { return table + load<u32>(table, 32) + load<u32>(entry) }

function slotCountFor(groupCapacity: u32): u32 {
  let slots: u32 = 16
  while (slots < groupCapacity * 2) slots <<= 1
  return slots
}

export function groupTableBytes(groupCapacity: u32, textCapacity: u32): u32 {
  return headerBytes + slotCountFor(groupCapacity) * 8 + groupCapacity * <u32>GROUP_BYTES + ((textCapacity + 7) & ~7)
}

export function groupTableInit(table: usize, kind: u32, groupCapacity: u32, textCapacity: u32): void {
  const slots = slotCountFor(groupCapacity)
  memory.fill(table, 0, <usize>headerBytes + (<usize>slots << 3))
  store<u32>(table, kind)
  store<u32>(table, slots, 4)
  store<u32>(table, groupCapacity, 8)
  store<u32>(table, textCapacity, 16)
  store<u32>(table, headerBytes, 24)
  store<u32>(table, headerBytes + slots * 8, 28)
  store<u32>(table, headerBytes + slots * 8 + groupCapacity * <u32>GROUP_BYTES, 32)
}

/** A value that the table's kind holds in 8 bytes, with equal values made equal bits. */
export function canonicalValue(kind: u32, address: usize): u64 {
  if (kind != kindF64) return load<u64>(address)
  const value = load<f64>(address)
  return value != value ? <u64>NAN_BITS : reinterpret<u64>(value + 0.0)
}

function fixedHash(value: u64, parent: u32, isNull: u32): u32 {
  return mix((<u32>value * 0xcc9e2d51) ^ ((<u32>(value >> 32) + isNull) * 0x1b873593) ^ (parent * 0x9e3779b1))
}

/** Group of a fixed-size value, added when it is new; NO_GROUP when the table is full. */
export function groupOfValue(table: usize, value: u64, parent: u32, isNull: u32): u32 {
  const hash = fixedHash(value, parent, isNull)
  const slots = table + load<u32>(table, 24), last = load<u32>(table, 4) - 1
  let at = hash & last
  while (true) {
    const slot = slots + (<usize>at << 3)
    const next = load<u32>(slot, 4)
    if (next == 0) return addGroup(table, slot, hash, value, parent, isNull)
    if (load<u32>(slot) == hash) {
      const entry = groupAddress(table, next - 1)
      if (load<u64>(entry) == value && groupParent(entry) == parent && groupIsNull(entry) == isNull) return next - 1
    }
    at = (at + 1) & last
  }
}

/** The same for a text, whose bytes are copied into the table. */
export function groupOfText(table: usize, text: usize, textBytes: u32, parent: u32, isNull: u32): u32 {
  const hash = (<u32>hashBytes64(text, textBytes) ^ (parent * 0x9e3779b1)) + isNull
  const slots = table + load<u32>(table, 24), last = load<u32>(table, 4) - 1
  let at = hash & last
  while (true) {
    const slot = slots + (<usize>at << 3)
    const next = load<u32>(slot, 4)
    if (next == 0) return addText(table, slot, hash, text, textBytes, parent, isNull)
    if (load<u32>(slot) == hash) {
      const entry = groupAddress(table, next - 1)
      const same = load<u32>(entry, 4) == textBytes && groupParent(entry) == parent && groupIsNull(entry) == isNull
      if (same && equalTexts(groupText(table, entry), text, textBytes)) return next - 1
    }
    at = (at + 1) & last
  }
}

function addText(table: usize, slot: usize, hash: u32, text: usize, textBytes: u32, parent: u32, isNull: u32): u32 {
  const used = load<u32>(table, 20)
  if (textBytes > load<u32>(table, 16) - used) return NO_GROUP
  const group = addGroup(table, slot, hash, <u64>used | (<u64>textBytes << 32), parent, isNull)
  if (group == NO_GROUP) return NO_GROUP
  memory.copy(table + load<u32>(table, 32) + used, text, textBytes)
  store<u32>(table, used + textBytes, 20)
  return group
}

function addGroup(table: usize, slot: usize, hash: u32, value: u64, parent: u32, isNull: u32): u32 {
  const group = tableGroupCount(table)
  if (group == load<u32>(table, 8)) return NO_GROUP
  const entry = groupAddress(table, group)
  store<u64>(entry, value)
  store<u32>(entry, parent, 8)
  store<u32>(entry, isNull, 12)
  store<u32>(entry, hash, 16)
  store<u32>(entry, 0, 20)
  store<u32>(slot, hash)
  store<u32>(slot, group + 1, 4)
  store<u32>(table, group + 1, 12)
  return group
}

/** Copies all groups, their numbers kept, into an empty table of at least their size; false when they do not fit. */
export function groupTableCopy(from: usize, into: usize): bool {
  const groups = tableGroupCount(from), textUsed = load<u32>(from, 20)
  if (groups > load<u32>(into, 8) || textUsed > load<u32>(into, 16)) return false
  memory.copy(groupAddress(into, 0), groupAddress(from, 0), <usize>groups * GROUP_BYTES)
  memory.copy(into + load<u32>(into, 32), from + load<u32>(from, 32), textUsed)
  store<u32>(into, groups, 12)
  store<u32>(into, textUsed, 20)
  const slots = into + load<u32>(into, 24), last = load<u32>(into, 4) - 1
  for (let group: u32 = 0; group < groups; group++) {
    const hash = load<u32>(groupAddress(into, group), 16)
    let at = hash & last
    while (load<u32>(slots + (<usize>at << 3), 4) != 0) at = (at + 1) & last
    store<u32>(slots + (<usize>at << 3), hash)
    store<u32>(slots + (<usize>at << 3), group + 1, 4)
  }
  return true
}

/** Whole words, then the last one overlapping; texts below 8 bytes as one padded word. */
function equalTexts(a: usize, b: usize, byteLength: u32): bool {
  if (byteLength < 8) return textPrefix(a, byteLength) == textPrefix(b, byteLength)
  const last = byteLength - 8
  for (let at: u32 = 0; at < last; at += 8) if (load<u64>(a + at) != load<u64>(b + at)) return false
  return load<u64>(a + last) == load<u64>(b + last)
}

export function isTextTable(table: usize): bool { return tableKind(table) == kindBytes }
