/** What writing 100,000 rows costs in each format, without reading and sending them; JSON beside `JSON.stringify` of each row. */
import { userRowOf } from '../../src/engine/user-value.ts'
import type { EngineRow } from '../../src/engine/engine.ts'
import type { ResultColumn } from '../../src/sql/plan.ts'
import { loadFormat } from '../../src/http/format/choose-format.ts'
import type { FormatName } from '../../src/http/format/choose-format.ts'
import type { Chunk, ResultFormat } from '../../src/http/format/result-format.ts'
import { measureContestants } from '../harness.ts'
import type { BenchOptions, Contestant, Measurement } from '../harness.ts'

const columns: readonly ResultColumn[] = [
  { name: 'id', type: { kind: 'bigint' } },
  { name: 'price', type: { kind: 'numeric', precision: 10, scale: 2 } },
  { name: 'weight', type: { kind: 'double' } },
  { name: 'city', type: { kind: 'text' } },
  { name: 'at', type: { kind: 'timestamp' } },
  { name: 'isOpen', type: { kind: 'boolean' } },
]

export async function* measure({ smoke }: BenchOptions): AsyncGenerator<readonly Measurement[]> {
  const rows: readonly EngineRow[] = Array.from({ length: smoke ? 1_000 : 100_000 }, (_, id) => [id, id * 7, id / 8, id % 10 === 0 ? null : `city number ${id % 997}`, 1_700_000_000_000_000 + id * 1_000_003, id % 2])
  const rounds = smoke ? 1 : 9
  const json = await loadFormat('json')
  yield await measureContestants('http/rows JSON', [timed('JSON.stringify', rows, () => stringified(rows)), timed('by column', rows, () => bodyOf(json, rows))], rounds)
  for (const name of ['jsonl', 'csv', 'arrow'] satisfies FormatName[]) {
    const format = await loadFormat(name)
    yield await measureContestants(`http/rows ${name}`, [timed('by column', rows, () => bodyOf(format, rows))], rounds)
  }
}

function timed(name: string, rows: readonly EngineRow[], write: () => readonly Buffer[]): Contestant {
  return {
    name,
    async run() {
      const startMs = performance.now()
      const chunks = write()
      const elapsedMs = performance.now() - startMs
      return { elapsedMs, operations: rows.length, answer: Buffer.concat(chunks).toString('latin1') }
    },
  }
}

/** Chunks become bytes at once, as on their way to a socket. */
function bytesOf(chunk: Chunk): Buffer {
  return Buffer.from(chunk as string)
}

function bodyOf(format: ResultFormat, rows: readonly EngineRow[]): readonly Buffer[] {
  const { rows: encoder } = format.begin(columns)
  const chunks: Buffer[] = []
  for (const row of rows) {
    encoder.add(row)
    if (encoder.size >= format.chunkSize) chunks.push(bytesOf(encoder.take()))
  }
  return [...chunks, bytesOf(encoder.take())]
}

/** As one would without types at hand: users' values, then `JSON.stringify`. */
function stringified(rows: readonly EngineRow[]): readonly Buffer[] {
  const userRow = userRowOf(columns.map(({ type }) => type))
  const chunks: Buffer[] = []
  let text = ''
  for (const [index, row] of rows.entries()) {
    text += (index === 0 ? '' : ',') + JSON.stringify(userRow(row))
    if (text.length < 65_536) continue
    chunks.push(bytesOf(text))
    text = ''
  }
  return [...chunks, bytesOf(text)]
}
