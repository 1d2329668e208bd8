/** Rows on their way to the files of a staged table, which nobody reads or writes meanwhile. Calls come one after the other. */
export interface StagedIngest<Columns> {
  /**
   * Brings rows of packed columns in; false, with none of them brought in, when their keys do not ascend from above those
   * that came before, or they must be written in another way: `finish` has to come before they are. They may still be on their way to
   * files then; the call that comes next is told what failed there. After an error only `abandon` may come.
   */
  add(columns: Columns): Promise<boolean>
  /** What was brought in is in the table, durably. Does nothing the second time, or after `abandon`. */
  finish(): Promise<void>
  abandon(): Promise<void>
}
