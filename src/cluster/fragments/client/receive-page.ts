/** Pages that came from another node, in linear memory, as everything above a tree takes them. */
import { invariant } from '../../../errors.ts'
import type { Kernel } from '../../../kernel/kernel.ts'
import type { LinearMemory, Pointer } from '../../../kernel/linear-memory.ts'
import { keyPrefixInMemory } from '../../../lsm/keys/key-bytes.ts'
import type { PhysicalKind } from '../../../lsm/layout.ts'
import type { Page, Vector } from '../../../lsm/page.ts'
import { createByteReader } from '../../transport/wire/byte-reader.ts'
import { keySectionBytes, readPageHead } from '../wire/page-format.ts'
import type { PageHead } from '../wire/page-format.ts'
import { checkLengths, memoryBytes, placeColumn, placeRefs, readSection, roundedUp } from './place-columns.ts'

export interface ReceivedPage {
  readonly page: Page
  free(): void
}

export interface PageShape {
  /** Ordinals that were asked for, and their kinds. */
  readonly ordinals: readonly number[]
  readonly kinds: readonly PhysicalKind[]
  readonly hasKeys: boolean
}

/** 08P01 for what is no such page; nothing is taken from the heap then. */
export function receivePage({ heap, memory }: Kernel, { ordinals, kinds, hasKeys }: PageShape, bytes: Uint8Array): ReceivedPage {
  const reader = createByteReader(bytes, 'a page')
  const head = readPageHead(reader, kinds, hasKeys), { rowCount } = head
  const sections = head.columns.map((column, i) => readSection(reader, `column ${ordinals[i]}`, column, rowCount))
  const keySection = reader.bytes('keys', keySectionBytes(head))
  reader.end()
  if (hasKeys) checkLengths(reader, 'keys', keySection, rowCount)
  const address = heap.allocate(head.columns.reduce((sum, column) => sum + memoryBytes(column, rowCount), keyMemoryBytes(head)))
  const vectors: (Vector | undefined)[] = []
  let at = address
  head.columns.forEach((column, i) => {
    vectors[ordinals[i]!] = placeColumn(memory, column, rowCount, sections[i]!, at)
    at += memoryBytes(column, rowCount)
  })
  if (hasKeys) placeRefs(memory, keySection, rowCount, at)
  return { page: { rowCount, vectors, selection: 0, selectedCount: rowCount, ...keysAt(memory, hasKeys ? at : 0) }, free: () => heap.free(address) }
}

const keyMemoryBytes = ({ rowCount, keyBytes }: PageHead): number => (keyBytes === undefined ? 0 : 8 * rowCount + roundedUp(keyBytes))

function keysAt(memory: LinearMemory, refs: Pointer): Pick<Page, 'keyAt' | 'keyPrefixAt'> {
  const keyAt = (row: number): ReturnType<Page['keyAt']> => {
    invariant(refs !== 0, 'a key is asked for of a page without keys')
    return { address: memory.u32[(refs >>> 2) + 2 * row]!, byteLength: memory.u32[(refs >>> 2) + 2 * row + 1]! }
  }
  return {
    keyAt,
    keyPrefixAt(row) {
      const { address, byteLength } = keyAt(row)
      return keyPrefixInMemory(memory, address, byteLength)
    },
  }
}
