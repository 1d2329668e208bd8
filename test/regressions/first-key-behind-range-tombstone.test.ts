/**
 * A file whose largest boundary is the end of a range tombstone may touch the next file's first key. A scan that took
 * the row group before up to just past that boundary went by the next file's first row.
 */
import { expect, it } from 'vitest'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { createRowLayout } from '../../src/lsm/keys/row-layout.ts'
import { planStretches } from '../../src/lsm/read/stretches.ts'
import type { TableReader } from '../../src/lsm/table/table.ts'
import { openTestKernel, putBytes } from '../kernel/both-kinds.ts'

const key = (text: string): Uint8Array => Buffer.from(text)

/** As much of a reader of one row group as plans need. */
function readerOf(kernel: Kernel, minKey: string, maxKey: string): TableReader {
  const address = putBytes(kernel, key(minKey))
  return {
    meta: { minKey: key(minKey), maxKey: key(maxKey), rowGroupCount: 1 },
    firstKey: () => ({ address, byteLength: minKey.length }),
    rowGroupsIn: () => ({ from: 0, to: 1 }),
    hold: () => undefined,
    release: () => undefined,
    readAhead: () => undefined,
  } as unknown as TableReader
}

it.each([false, true])('gives a shared boundary to the file that begins there (reverse: %s)', async (reverse) => {
  const kernel = openTestKernel('js')
  const shape = createRowLayout(kernel, { tableId: 1, columns: ['bytes'], key: [0] })
  const readers = [readerOf(kernel, 'a', 'f'), readerOf(kernel, 'f', 'k')]
  const plan = planStretches({ kernel, shape, reverse, stats: undefined }, key(''), undefined, [{ readers, cover: [] }], [])
  const found = []
  for (let stretch = await plan.next(); stretch !== undefined; stretch = await plan.next()) {
    const text = (boundary: Uint8Array | undefined): string => (boundary === undefined ? 'end' : Buffer.from(boundary).toString())
    found.push(`${stretch.kind === 'direct' ? readers.indexOf(stretch.reader) : stretch.kind}: ${text(stretch.lower)}-${text(stretch.upper)}`)
  }
  expect(found).toEqual(reverse ? ['1: f-end', '0: a-f'] : ['0: -f', '1: f-k\0'])
})
