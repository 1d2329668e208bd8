/** Rows in key order, by column. */

/** `columns[i][row]` is of the column that was asked for at `i`. */
export interface WalkedColumns<Value> {
  readonly rowCount: number
  readonly columns: readonly (readonly Value[])[]
}

export interface EngineWalk<Value> {
  /** At most `rowsMax` rows, never none; undefined at the end. A limit is the caller's to keep: the scan's only tells how many rows will be asked for. */
  next(rowsMax: number): WalkedColumns<Value> | undefined | Promise<WalkedColumns<Value> | undefined>
  close(): void
}
