/** Rows by column, and those of walks: in key order. */

/** `columns[i][row]` is of the column that was asked for at `i`. */
export interface RowColumns<Value> {
  readonly rowCount: number
  readonly columns: readonly (readonly Value[])[]
}

export interface EngineWalk<Value> {
  /** At most `rowsMax` rows, never none; undefined at the end. A limit is the caller's to keep: the scan's only tells how many rows will be asked for. */
  next(rowsMax: number): RowColumns<Value> | undefined | Promise<RowColumns<Value> | undefined>
  close(): void
}
