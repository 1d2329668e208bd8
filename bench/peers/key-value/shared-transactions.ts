/** Writes that are asked for in one turn of the event loop as one transaction: group commit for a database that has none. */
import type { Write } from './store.ts'

export function sharedTransactions(commit: (writes: readonly Write[]) => void): (write: Write) => Promise<void> {
  let open: { readonly writes: Write[]; readonly committed: Promise<void> } | undefined
  return (write) => {
    if (open === undefined) {
      const writes: Write[] = []
      const committed = Promise.resolve().then(() => {
        open = undefined
        commit(writes)
      })
      open = { writes, committed }
    }
    open.writes.push(write)
    return open.committed
  }
}
