/** Rows of several keys, asked of another node at once. */
import { LsmtError } from '../../../errors.ts'
import type { TableLayout } from '../../../lsm/layout.ts'
import type { ReadStats } from '../../../lsm/tree.ts'
import { createByteReader } from '../../transport/wire/byte-reader.ts'
import { keysMax, readPointRow, writeRowsQuestion } from '../wire/point-rows.ts'
import type { PointRow } from '../wire/point-rows.ts'
import { methods, writeView } from '../wire/questions.ts'
import { readList } from '../wire/values.ts'
import type { AnsweredRows } from './asked-table.ts'
import type { ClientState } from './client-state.ts'
import { askShort, askStream, ofRead, written } from './peer.ts'
import type { RemoteView } from './remote-view.ts'

/** One key's row is an answer; of several, or where it is too large for one, they are a stream. */
export async function askRows(client: ClientState, view: RemoteView, layout: TableLayout, keys: readonly Uint8Array[], stats: ReadStats | undefined): Promise<AnsweredRows> {
  await view.ready()
  const { channel, timeoutMs } = client
  const asked = keys.slice(0, keysMax)
  const body = [written((writer) => {
    writeView(writer, view.question())
    writeRowsQuestion(writer, { tableId: layout.tableId, columnCount: layout.columns.length, keys: asked })
  })]
  if (asked.length > 1) return await streamedRows(client, view, layout, asked.length, body, stats)
  const reader = await askShort(channel, view.node(), methods.row, body, timeoutMs)
  const byteLength = reader.leftBytes
  const row = readPointRow(reader, layout.columns)
  reader.end()
  return row === 'tooLarge' ? await streamedRows(client, view, layout, 1, body, stats) : { rows: [row], byteLength }
}

async function streamedRows({ channel }: ClientState, view: RemoteView, { columns }: TableLayout, count: number, body: readonly Uint8Array[], stats: ReadStats | undefined): Promise<AnsweredRows> {
  const node = view.node()
  const rows: (PointRow | undefined)[] = []
  let byteLength = 0
  try {
    for await (const payload of askStream(channel, node, methods.rows, body, undefined, stats)) {
      byteLength += payload.byteLength
      const reader = createByteReader(payload, `rows of ${node}`)
      for (const row of readList(reader, 'rows', count - rows.length, () => readPointRow(reader, columns))) {
        if (row === 'tooLarge') throw reader.wrong('a row of a stream', 'a row', 'that it is too large')
        rows.push(row)
      }
      reader.end()
    }
  } catch (error) {
    throw ofRead(node, error)
  }
  if (rows.length === 0) throw new LsmtError('08P01', `${node} answered none of ${count} keys`)
  return { rows, byteLength }
}
