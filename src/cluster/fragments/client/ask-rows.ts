/** Rows of several keys, asked of another node at once. */
import type { TableLayout } from '../../../lsm/layout.ts'
import type { AnswerElsewhere, ReadStats } from '../../../lsm/tree.ts'
import { violation } from '../../transport/frame/frame.ts'
import { createByteReader } from '../../transport/wire/byte-reader.ts'
import type { ByteReader } from '../../transport/wire/byte-reader.ts'
import { keysMax, readPointRow, writeRowsQuestion } from '../wire/point-rows.ts'
import type { PointRow } from '../wire/point-rows.ts'
import { methods, writeView } from '../wire/questions.ts'
import { readList } from '../wire/values.ts'
import type { ClientState } from './client-state.ts'
import { askShort, askStream, written } from './peer.ts'
import { remoteRow } from './remote-row.ts'
import type { RemoteView } from './remote-view.ts'

/** Answers for the first keys; `onRead` is told the sequence that they are of. One key's row is a short answer; of several, or where it is too large for one, they are a stream. */
export async function askRows(client: ClientState, view: RemoteView, layout: TableLayout, keys: readonly Uint8Array[], stats: ReadStats | undefined, onRead: (sequence: number) => void): Promise<readonly AnswerElsewhere[]> {
  await view.ready()
  const { channel, timeoutMs, scratch } = client
  const asked = keys.slice(0, keysMax)
  const body = [written((writer) => {
    writeView(writer, view.question())
    writeRowsQuestion(writer, { tableId: layout.tableId, columnCount: layout.columns.length, keys: asked })
  })]
  const rows = asked.length === 1 ? shortRow(await askShort(channel, view.node(), methods.row, body, timeoutMs), layout, onRead) : 'tooLarge'
  const given = rows === 'tooLarge' ? await streamedRows(client, view.node(), layout, { count: asked.length, body, onRead }, stats) : rows
  return given.map((row) => ({ row: row && remoteRow(scratch, row) }))
}

function shortRow(reader: ByteReader, { columns }: TableLayout, onRead: (sequence: number) => void): readonly (PointRow | undefined)[] | 'tooLarge' {
  onRead(reader.count('sequence'))
  const row = readPointRow(reader, columns)
  reader.end()
  return row === 'tooLarge' ? row : [row]
}

interface StreamedQuestion {
  readonly count: number
  readonly body: readonly Uint8Array[]
  readonly onRead: (sequence: number) => void
}

async function streamedRows({ channel }: ClientState, node: string, { columns }: TableLayout, { count, body, onRead }: StreamedQuestion, stats: ReadStats | undefined): Promise<readonly (PointRow | undefined)[]> {
  const rows: (PointRow | undefined)[] = []
  let isBegun = false
  for await (const payload of askStream(channel, node, methods.rows, body, undefined, stats)) {
    const reader = createByteReader(payload, `rows of ${node}`)
    if (!isBegun) {
      isBegun = true
      onRead(reader.count('sequence'))
      reader.end()
      continue
    }
    for (const row of readList(reader, 'rows', count - rows.length, () => readPointRow(reader, columns))) {
      if (row === 'tooLarge') throw reader.wrong('a row of a stream', 'a row', 'that it is too large')
      rows.push(row)
    }
    reader.end()
  }
  if (rows.length === 0) throw violation(`${node} answered none of ${count} keys`)
  return rows
}
