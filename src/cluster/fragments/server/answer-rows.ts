/** Point reads for other nodes: whole rows by their keys. */
import type { Kernel } from '../../../kernel/kernel.ts'
import type { Pointer } from '../../../kernel/linear-memory.ts'
import { createFetchBatch } from '../../../lsm/read/point/fetch-together.ts'
import type { PhysicalKind } from '../../../lsm/layout.ts'
import type { PointFetch, ReadStats, RowHandle } from '../../../lsm/tree.ts'
import type { ByteReader } from '../../transport/wire/byte-reader.ts'
import { createByteWriter } from '../../transport/wire/byte-writer.ts'
import { columnKind } from '../wire/check-expression.ts'
import { readRowsQuestion, writePointRow, writeTooLarge } from '../wire/point-rows.ts'
import type { PointRow } from '../wire/point-rows.ts'
import type { Reading } from './answer-scans.ts'
import { tableIn } from './open-view.ts'
import { createRowPacker } from './row-packer.ts'

/** Of one row as an answer. */
const answerBytesMax = 512 * 1024
/** Of a message with rows, and of all rows of one stream, after which the asker asks for the others. */
const messageBytesMax = 64 * 1024, streamBytesMax = 8 * 1024 * 1024

/** Looks for rows of one table. */
interface Lookups {
  readonly kernel: Kernel
  readonly keys: readonly Uint8Array[]
  readonly kinds: readonly PhysicalKind[]
  readonly stats: ReadStats
  ask(key: Uint8Array): RowHandle | PointFetch | undefined
  close(): void
}

function openLookups({ host: { kernel }, view, stats }: Reading, question: ByteReader): Lookups {
  const { tableId, columnCount, keys } = readRowsQuestion(question)
  const { layout: { columns } } = tableIn(view, tableId)
  if (columnCount > 0) columnKind(columns, columnCount - 1)
  const scratch: Pointer = kernel.heap.allocate(keys.reduce((most, { byteLength }) => Math.max(most, byteLength), 8))
  return {
    kernel, keys, kinds: columns, stats,
    ask(key) {
      kernel.memory.u8.set(key, scratch)
      return view.tree.get(view.snapshot, tableId, scratch, key.byteLength, stats)
    },
    close: () => kernel.heap.free(scratch),
  }
}

/** The row of the first key, or that it is too large for an answer. */
export async function answerRow(reading: Reading, question: ByteReader): Promise<Uint8Array> {
  const lookups = openLookups(reading, question)
  try {
    const writer = createByteWriter(256)
    writer.count(reading.view.snapshot.sequence)
    writePointRow(writer, await rowOf(lookups, lookups.keys[0]!))
    const answer = writer.done()
    if (answer.byteLength <= answerBytesMax) return answer
    const refusal = createByteWriter(16)
    refusal.count(reading.view.snapshot.sequence)
    writeTooLarge(refusal)
    return refusal.done()
  } finally {
    lookups.close()
  }
}

/** The sequence, then rows in messages, each with their number before them: of the first keys, at least of one. */
export async function* streamRows(reading: Reading, question: ByteReader): AsyncGenerator<Uint8Array> {
  const lookups = openLookups(reading, question)
  const { keys } = lookups
  try {
    const head = createByteWriter(16)
    head.count(reading.view.snapshot.sequence)
    yield head.done()
    let streamedBytes = 0
    const packer = createRowPacker(messageBytesMax)
    for (let index = 0; index < keys.length && streamedBytes < streamBytesMax; index++) {
      const row = await rowOf(lookups, keys[index]!, () => fetchFrom(lookups, index))
      const pause = reading.pace.turn()
      if (pause !== undefined) await pause
      const full = packer.add((writer) => writePointRow(writer, row))
      if (full === undefined) continue
      streamedBytes += full.byteLength
      yield full
    }
    const rest = packer.rest()
    if (rest !== undefined) yield rest
  } finally {
    lookups.close()
  }
}

const fetchTogetherMax = 4096

/** What the keys from `from` on wait for, read together. */
async function fetchFrom({ ask, keys, stats }: Lookups, from: number): Promise<void> {
  const batch = createFetchBatch()
  const end = Math.min(keys.length, from + fetchTogetherMax)
  for (let index = from; index < end && !batch.isFull; index++) {
    const found = ask(keys[index]!)
    if (found !== undefined && 'fetch' in found && found.fetchSync === undefined) batch.add(found)
  }
  await batch.run(stats)
}

/** Files may be gone from the cache again before the key is asked for once more: then each is fetched by itself. */
const togetherMax = 3

async function rowOf({ kernel: { memory }, ask, kinds }: Lookups, key: Uint8Array, fetchTogether?: () => Promise<void>): Promise<PointRow | undefined> {
  for (let rounds = 0; ; rounds++) {
    const found = ask(key)
    if (found === undefined) return undefined
    if (!('fetch' in found)) return kinds.map((kind, ordinal) => cellOf(memory.u8, found, kind, ordinal))
    if (found.fetchSync !== undefined) found.fetchSync()
    else if (fetchTogether !== undefined && rounds < togetherMax) await fetchTogether()
    else await found.fetch()
  }
}

function cellOf(u8: Uint8Array, row: RowHandle, kind: PhysicalKind, ordinal: number): PointRow[number] {
  if (row.isNull(ordinal)) return null
  if (kind === 'i64') return row.i64(ordinal)
  if (kind === 'f64') return row.f64(ordinal)
  const { address, byteLength } = row.bytes(ordinal)
  return u8.slice(address, address + byteLength)
}
