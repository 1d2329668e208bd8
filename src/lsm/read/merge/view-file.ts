import type { TableReader } from '../../table/table.ts'
import type { ReadStats } from '../../tree.ts'
import type { RunFile } from './table-source.ts'

/** A file of a view: its tail is held for as long as the merge is in it. */
export function viewFile(reader: TableReader, stats: ReadStats | undefined): RunFile {
  return {
    meta: reader.meta,
    open() {
      const waiting = reader.hold(stats)
      return waiting === undefined ? reader : waiting.then(() => reader)
    },
    leave: () => reader.release(),
  }
}
