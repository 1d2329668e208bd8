/** Scans for other nodes, and what goes over their rows: the payloads of streams. */
import type { ReadStats } from '../../../lsm/tree.ts'
import type { Pace } from '../../../runtime/pace.ts'
import type { ByteReader } from '../../transport/wire/byte-reader.ts'
import { createByteWriter } from '../../transport/wire/byte-writer.ts'
import { readAggregates, writePartials } from '../wire/aggregates.ts'
import { checkScan, readScan } from '../wire/scan-requests.ts'
import type { FragmentHost } from './fragment-host.ts'
import { tableIn } from './open-view.ts'
import type { OpenView } from './open-view.ts'
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
