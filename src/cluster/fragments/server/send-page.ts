/** Pages of a tree as bytes for another node: selected rows only, cut where they have many bytes. */
import type { LinearMemory } from '../../../kernel/linear-memory.ts'
import type { Page, Vector } from '../../../lsm/page.ts'
import { bitAt } from '../../../lsm/read/read-context.ts'
import { createByteWriter } from '../../transport/wire/byte-writer.ts'
import { columnBytes, keySectionBytes, pageRowsMax, writePageHead } from '../wire/page-format.ts'
import { columnHead, encodeColumn, encodeRefs, isText, textLength } from './encode-columns.ts'
import type { Ref } from './encode-columns.ts'

/** Bytes of texts and keys after which a page is cut. */
const textBytesMax = 256 * 1024

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
    yield encodeRows(memory, columns, selected.slice(from, to), hasKeys ? keys : undefined)
    from = to
  }
}

function selectedRows({ u8 }: LinearMemory, { rowCount, selection }: Page): readonly number[] {
  const rows: number[] = []
  for (let row = 0; row < rowCount; row++) if (selection === 0 || bitAt(u8, selection, row)) rows.push(row)
  return rows
}

/** `keys`: of these rows; undefined: they are not wanted. */
function encodeRows(memory: LinearMemory, columns: readonly Vector[], rows: readonly number[], keys: readonly Ref[] | undefined): Uint8Array {
  const heads = columns.map((column) => columnHead(memory, column, rows))
  const head = { rowCount: rows.length, columns: heads, keyBytes: keys?.reduce((sum, { byteLength }) => sum + byteLength, 0) }
  const writer = createByteWriter(64)
  writePageHead(writer, head)
  const headBytes = writer.done()
  const sectionBytes = heads.map((each) => columnBytes(each, rows.length))
  const out = Buffer.allocUnsafe(sectionBytes.reduce((sum, each) => sum + each, headBytes.byteLength + keySectionBytes(head)))
  out.set(headBytes)
  let at = headBytes.byteLength
  columns.forEach((column, i) => {
    encodeColumn(memory, column, rows, heads[i]!, out, at)
    at += sectionBytes[i]!
  })
  if (keys !== undefined) encodeRefs(memory, keys, out, at)
  return out
}
