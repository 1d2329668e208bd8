/** Pages of a tree as bytes for another node: selected rows only, cut where they have many bytes. */
import type { LinearMemory, Pointer } from '../../../kernel/linear-memory.ts'
import type { Page, Vector } from '../../../lsm/page.ts'
import { bitAt } from '../../../lsm/read/read-context.ts'
import { createByteWriter } from '../../transport/wire/byte-writer.ts'
import { columnBytes, keySectionBytes, nullsBytes, pageRowsMax, writePageHead } from '../wire/page-format.ts'
import type { ColumnHead } from '../wire/page-format.ts'

type TextVector = Extract<Vector, { readonly kind: 'bytes' }>

const isText = (column: Vector): column is TextVector => column.kind === 'bytes'

/** What is computed may have any ref where it is null. */
const textLength = ({ u8, u32 }: LinearMemory, { refs, nulls }: TextVector, row: number): number => (bitAt(u8, nulls, row) ? 0 : u32[(refs >>> 2) + 2 * row + 1]!)

/** Bytes of texts and keys after which a page is cut. */
const textBytesMax = 256 * 1024

interface Rows {
  readonly memory: LinearMemory
  readonly numbers: readonly number[]
  readonly columns: readonly Vector[]
  /** Where the keys of these rows stand; undefined: they are not wanted. */
  readonly keys: readonly Ref[] | undefined
}

interface Ref {
  readonly address: Pointer
  readonly byteLength: number
}

/** The page's selected rows in parts, one after the other; the page is to stay as it is meanwhile. */
export function* pageParts(memory: LinearMemory, page: Page, ordinals: readonly number[], hasKeys: boolean): Generator<Uint8Array> {
  const selected = selectedRows(memory, page)
  const columns = ordinals.map((ordinal) => page.vectors[ordinal]!)
  const texts = columns.filter(isText)
  for (let from = 0; from < selected.length; ) {
    const keys: Ref[] = []
    let to = from
    for (let byteLength = 0; to < selected.length && to - from < pageRowsMax && byteLength < textBytesMax; to++) {
      const row = selected[to]!
      for (const column of texts) byteLength += textLength(memory, column, row)
      if (!hasKeys) continue
      const key = page.keyAt(row)
      byteLength += key.byteLength
      keys.push(key)
    }
    yield encodeRows({ memory, numbers: selected.slice(from, to), columns, keys: hasKeys ? keys : undefined })
    from = to
  }
}

function selectedRows({ u8 }: LinearMemory, { rowCount, selection }: Page): readonly number[] {
  const rows: number[] = []
  for (let row = 0; row < rowCount; row++) if (selection === 0 || bitAt(u8, selection, row)) rows.push(row)
  return rows
}

function encodeRows(rows: Rows): Uint8Array {
  const { numbers: { length: rowCount }, keys } = rows
  const columns = rows.columns.map((column) => headOf(rows, column))
  const head = { rowCount, columns, keyBytes: keys?.reduce((sum, { byteLength }) => sum + byteLength, 0) }
  const writer = createByteWriter(64)
  writePageHead(writer, head)
  const headBytes = writer.done()
  const sectionBytes = columns.map((column) => columnBytes(column, rowCount))
  const out = Buffer.allocUnsafe(sectionBytes.reduce((sum, each) => sum + each, headBytes.byteLength + keySectionBytes(head)))
  out.set(headBytes)
  let at = headBytes.byteLength
  rows.columns.forEach((column, i) => {
    const values = columns[i]!.hasNulls ? encodeNulls(rows, column, out, at) : at
    if (isText(column)) encodeRefs(rows.memory, refsOf(rows, column), out, values)
    else encodeNumbers(rows, column.values, out, values)
    at += sectionBytes[i]!
  })
  if (keys !== undefined) encodeRefs(rows.memory, keys, out, at)
  return out
}

function headOf({ memory, numbers }: Rows, column: Vector): ColumnHead {
  const hasNulls = column.nulls !== 0 && numbers.some((row) => bitAt(memory.u8, column.nulls, row))
  let textBytes = 0
  if (isText(column)) for (const row of numbers) textBytes += textLength(memory, column, row)
  return { kind: column.kind, hasNulls, textBytes }
}

function encodeNulls({ memory: { u8 }, numbers }: Rows, { nulls }: Vector, out: Buffer, at: number): number {
  const end = at + nullsBytes(numbers.length)
  out.fill(0, at, end)
  numbers.forEach((row, i) => {
    if (bitAt(u8, nulls, row)) out[at + (i >>> 3)]! |= 1 << (i & 7)
  })
  return end
}

/** Rows that stand one after the other are copied as they are. */
function encodeNumbers({ memory: { u8, u32 }, numbers }: Rows, values: Pointer, out: Buffer, at: number): void {
  const first = numbers[0]!, { length } = numbers
  if (numbers[length - 1]! - first === length - 1) {
    out.set(u8.subarray(values + 8 * first, values + 8 * (first + length)), at)
    return
  }
  const words = values >>> 2
  numbers.forEach((row, i) => {
    out.writeUInt32LE(u32[words + 2 * row]!, at + 8 * i)
    out.writeUInt32LE(u32[words + 2 * row + 1]!, at + 8 * i + 4)
  })
}

function refsOf({ memory, numbers }: Rows, column: TextVector): readonly Ref[] {
  return numbers.map((row) => ({ address: memory.u32[(column.refs >>> 2) + 2 * row]!, byteLength: textLength(memory, column, row) }))
}

function encodeRefs({ u8 }: LinearMemory, refs: readonly Ref[], out: Buffer, at: number): void {
  let to = at + 4 * refs.length
  refs.forEach(({ address, byteLength }, i) => {
    out.writeUInt32LE(byteLength, at + 4 * i)
    if (byteLength > 64) out.set(u8.subarray(address, address + byteLength), to)
    else for (let byte = 0; byte < byteLength; byte++) out[to + byte] = u8[address + byte]!
    to += byteLength
  })
}
