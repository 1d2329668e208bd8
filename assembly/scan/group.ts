/** Group numbers for rows. A table that is full stops the call at the row it could not place, so that nothing is lost. */
import { allEqual64, rowsOfWord } from './selection'
import { NO_GROUP, canonicalValue, groupAddress, groupIsNull, groupOfText, groupOfValue, groupParent, groupTableBytes, groupTableCopy, groupTableInit, groupText, isTextTable, tableGroupCount, tableKind } from './group-table'

export function scanGroupsBytes(groupCapacity: u32, textCapacity: u32): u32 {
  return groupTableBytes(groupCapacity, textCapacity)
}

export function scanGroupsCreate(table: usize, kind: u32, groupCapacity: u32, textCapacity: u32): void {
  groupTableInit(table, kind, groupCapacity, textCapacity)
}

export function scanGroupsCopy(from: usize, into: usize): i32 {
  return groupTableCopy(from, into) ? 0 : -1
}

export function scanGroupsCount(table: usize): u32 {
  return tableGroupCount(table)
}

export function scanGroupsAssign(table: usize, vector: usize, nulls: usize, parents: usize, selection: usize, from: u32, count: u32, groups: usize): u32 {
  const kind = tableKind(table), texts = isTextTable(table)
  // Equal neighbours are common (sorted keys, runs, one dictionary entry): the last value or ref is not looked up again.
  let lastValue: u64 = 0, lastParent: u32 = 0, lastGroup = NO_GROUP
  for (let word = from >> 6, words = (count + 63) >> 6; word < words; word++) {
    let bits = rowsOfWord(count, word)
    if (selection != 0) bits &= load<u64>(selection + (<usize>word << 3))
    if (word == from >> 6) bits &= ~(<u64>0) << (from & 63)
    const nullBits: u64 = nulls == 0 ? 0 : load<u64>(nulls + (<usize>word << 3))
    // Sorted values, slots of time and the like are the same for many rows, those that are not selected included.
    if (bits != 0 && rowsOfWord(count, word) == ~(<u64>0) && nullBits == 0 && parents == 0 && allEqual64(vector + (<usize>word << 9))) {
      const group = groupOfOne(table, kind, texts, vector + (<usize>word << 9))
      if (group == NO_GROUP) return word << 6
      fillGroups(groups + (<usize>word << 8), group)
      continue
    }
    for (; bits != 0; bits &= bits - 1) {
      const row = (word << 6) + <u32>ctz(bits)
      const at = vector + (<usize>row << 3)
      const parent = parents == 0 ? 0 : load<u32>(parents + (<usize>row << 2))
      let group: u32
      if (((nullBits >> (row & 63)) & 1) != 0) {
        group = texts ? groupOfText(table, 0, 0, parent, 1) : groupOfValue(table, 0, parent, 1)
      } else {
        const value = texts ? load<u64>(at) : canonicalValue(kind, at)
        if (lastGroup == NO_GROUP || value != lastValue || parent != lastParent) {
          lastGroup = texts ? groupOfText(table, <usize>(<u32>value), <u32>(value >> 32), parent, 0) : groupOfValue(table, value, parent, 0)
          lastValue = value
          lastParent = parent
        }
        group = lastGroup
      }
      if (group == NO_GROUP) return row
      store<u32>(groups + (<usize>row << 2), group)
    }
  }
  return count
}

function groupOfOne(table: usize, kind: u32, texts: bool, at: usize): u32 {
  return texts ? groupOfText(table, <usize>load<u32>(at), load<u32>(at, 4), 0, 0) : groupOfValue(table, canonicalValue(kind, at), 0, 0)
}

/** 64 rows. */
function fillGroups(groups: usize, group: u32): void {
  const four = i32x4.splat(<i32>group)
  for (const end = groups + 256; groups < end; groups += 16) v128.store(groups, four)
}

export function scanGroupsMerge(into: usize, from: usize, parentMap: usize, firstGroup: u32, map: usize): u32 {
  const groups = tableGroupCount(from), texts = isTextTable(from)
  for (let group = firstGroup; group < groups; group++) {
    const entry = groupAddress(from, group)
    const parent = parentMap == 0 ? groupParent(entry) : load<u32>(parentMap + (<usize>groupParent(entry) << 2))
    const merged = texts
      ? groupOfText(into, groupText(from, entry), load<u32>(entry, 4), parent, groupIsNull(entry))
      : groupOfValue(into, load<u64>(entry), parent, groupIsNull(entry))
    if (merged == NO_GROUP) return group
    store<u32>(map + (<usize>group << 2), merged)
  }
  return groups
}

export function scanGroupsKeys(table: usize, groups: usize, firstGroup: u32, count: u32, vector: usize, nulls: usize, parents: usize): u32 {
  const texts = isTextTable(table)
  memory.fill(nulls, 0, <usize>((count + 63) >> 6) << 3)
  let nullCount: u32 = 0
  for (let i: u32 = 0; i < count; i++) {
    const group = groups == 0 ? firstGroup + i : load<u32>(groups + (<usize>i << 2))
    const entry = groupAddress(table, group)
    const isNull = groupIsNull(entry)
    const value = isNull ? 0 : texts ? <u64>groupText(table, entry) | (<u64>load<u32>(entry, 4) << 32) : load<u64>(entry)
    store<u64>(vector + (<usize>i << 3), value)
    if (isNull) {
      const byte = nulls + (i >> 3)
      store<u8>(byte, load<u8>(byte) | <u8>(<u32>1 << (i & 7)))
      nullCount++
    }
    if (parents != 0) store<u32>(parents + (<usize>i << 2), groupParent(entry))
  }
  return nullCount
}

export function scanGroupsFill(groups: usize, count: u32, group: u32): void {
  const four = i32x4.splat(group), end = groups + (<usize>count << 2)
  for (; groups + 16 <= end; groups += 16) v128.store(groups, four)
  for (; groups < end; groups += 4) store<u32>(groups, group)
}

export function scanGroupsMap(groups: usize, selection: usize, count: u32, map: usize): void {
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    let bits = rowsOfWord(count, word)
    if (selection != 0) bits &= load<u64>(selection + (<usize>word << 3))
    for (; bits != 0; bits &= bits - 1) {
      const at = groups + (<usize>((word << 6) + <u32>ctz(bits)) << 2)
      store<u32>(at, load<u32>(map + (<usize>load<u32>(at) << 2)))
    }
  }
}

export function scanGroupsUsed(groups: usize, selection: usize, count: u32, used: usize): void {
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    let bits = rowsOfWord(count, word)
    if (selection != 0) bits &= load<u64>(selection + (<usize>word << 3))
    const first = groups + (<usize>word << 8)
    if (bits == ~(<u64>0)) {
      for (let at = first, end = first + 256; at < end; at += 4) use(load<u32>(at), used)
      continue
    }
    for (; bits != 0; bits &= bits - 1) use(load<u32>(first + (<usize>ctz(bits) << 2)), used)
  }
}

function use(group: u32, used: usize): void {
  const at = used + <usize>(group >> 3)
  store<u8>(at, load<u8>(at) | <u8>(<u32>1 << (group & 7)))
}
