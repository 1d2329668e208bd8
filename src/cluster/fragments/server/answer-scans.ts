/** Scans for other nodes, and what goes over their rows: the payloads of streams. */
import { createLimitedHeap } from '../../../kernel/grouping/limited-heap.ts'
import { createGroups } from '../../../lsm/groups/groups.ts'
import { createTopRows } from '../../../lsm/top/top-rows.ts'
import type { ReadStats } from '../../../lsm/tree.ts'
import type { Pace } from '../../../runtime/pace.ts'
import type { ByteReader } from '../../transport/wire/byte-reader.ts'
import { createByteWriter } from '../../transport/wire/byte-writer.ts'
import { readAggregates, readGroupQuestion, writePartials } from '../wire/aggregates.ts'
import { checkScan, readScan } from '../wire/scan-requests.ts'
import { readTopQuestion, writeRankedRow } from '../wire/top-rows.ts'
import type { FragmentHost } from './fragment-host.ts'
import { tableIn } from './open-view.ts'
import type { OpenView } from './open-view.ts'
import { createRowPacker } from './row-packer.ts'
import { groupMessages } from './send-groups.ts'
import { pageParts } from './send-page.ts'

/** Where a read reads, and with what. */
export interface Reading {
  readonly host: FragmentHost
  readonly view: OpenView
  readonly stats: ReadStats
  readonly pace: Pace
}

/** Reads the rest of a question to its end, then gives what answers it. */
export type Answer = (reading: Reading, question: ByteReader) => AsyncIterable<Uint8Array>

export async function* scanPages({ host: { kernel: { memory } }, view, stats, pace }: Reading, question: ByteReader): AsyncGenerator<Uint8Array> {
  const asked = readScan(question)
  question.end()
  checkScan(tableIn(view, asked.request.tableId).layout, asked)
  const { columns, keys } = asked.request
  const cursor = view.tree.scan(view.snapshot, { ...asked.request, pace }, stats)
  try {
    for (let page = await cursor.next(); page !== undefined; page = await cursor.next()) yield* pageParts(memory, page, columns, keys !== false)
  } finally {
    cursor.close()
  }
}

export async function* partials({ view, stats, pace }: Reading, question: ByteReader): AsyncGenerator<Uint8Array> {
  const asked = readScan(question)
  const kinds = checkScan(tableIn(view, asked.request.tableId).layout, asked)
  const aggregates = readAggregates(question, kinds)
  question.end()
  const writer = createByteWriter()
  writePartials(writer, await view.tree.aggregate(view.snapshot, { ...asked.request, pace }, aggregates, stats))
  yield writer.done()
}

export async function* groupedRows({ host, view, stats, pace }: Reading, question: ByteReader): AsyncGenerator<Uint8Array> {
  const asked = readScan(question)
  const columns = checkScan(tableIn(view, asked.request.tableId).layout, asked)
  const { groupBy, aggregates } = readGroupQuestion(question, columns)
  question.end()
  const heap = createLimitedHeap(host.kernel.heap, host.groupBudget, 'aggregation by group for another node')
  const groups = createGroups({ kernel: host.kernel, columns, groupBy, aggregates, budget: host.groupBudget })
  try {
    await view.tree.groupedAggregate(view.snapshot, { ...asked.request, pace }, groups, stats)
    yield* groupMessages({ ...host.kernel, heap }, groups, pace)
  } finally {
    groups.free()
    heap.freeAll()
  }
}

/** Bytes of a message of rows. */
const messageBytesMax = 64 * 1024

export async function* firstRows({ view, stats, pace }: Reading, question: ByteReader): AsyncGenerator<Uint8Array> {
  const asked = readScan(question)
  const { layout } = tableIn(view, asked.request.tableId), { columns } = layout
  checkScan(layout, asked)
  const { keys, others, limit } = readTopQuestion(question, columns)
  question.end()
  const ordinals = [...keys.map(({ ordinal }) => ordinal), ...others], rowKinds = ordinals.map((ordinal) => columns[ordinal]!)
  const top = createTopRows(keys, ordinals, limit)
  await view.tree.topRows(view.snapshot, { ...asked.request, pace }, top, stats)
  const packer = createRowPacker(messageBytesMax)
  for (const row of await top.rows()) {
    const full = packer.add((writer) => writeRankedRow(writer, rowKinds, row))
    if (full !== undefined) yield full
  }
  const rest = packer.rest()
  if (rest !== undefined) yield rest
}
