/**
 * Rows of a query of WITH that several operators ask for: computed once, as far as any of them goes, so that what nobody
 * asks for raises no error; as PostgreSQL's CTE scans do.
 */
import { cellOf } from '../../expression/compile.ts'
import { keyOfAll } from '../../expression/value/order.ts'
import type { EngineValue } from '../../../engine/engine.ts'
import type { CommonPlan } from '../node.ts'
import type { Batch, QueryRun, SharedRows, Stream } from '../query-run.ts'
import { createRowStore } from '../spill/row-store.ts'
import type { MemoryShare } from '../spill/query-memory.ts'

/** `open` makes the stream that computes the rows. */
export function commonRows(plan: CommonPlan, run: QueryRun, open: () => Stream): Stream {
  const rows = run.common.get(plan) ?? createSharedRows(plan, run, open())
  run.common.set(plan, rows)
  return () => rows.read()
}

/** They hold for one set of values that the query uses of rows further out, and are computed anew for the next. */
function createSharedRows({ outer }: CommonPlan, run: QueryRun, input: Stream): SharedRows {
  const share = run.memory.share()
  const cells = outer.map((reference) => cellOf(run, reference))
  let computed: { readonly key: EngineValue; readonly rows: SharedRows } | undefined
  return {
    async *read() {
      const key = keyOfAll(cells.map(({ value }) => value))
      if (computed?.key !== key) {
        await computed?.rows.close()
        computed = { key, rows: computedOnce(input, run, share) }
      }
      yield* computed.rows.read()
    },
    async close() {
      await computed?.rows.close()
    },
  }
}

function computedOnce(stream: Stream, run: QueryRun, share: MemoryShare): SharedRows {
  const store = createRowStore(run, share)
  let input: AsyncIterator<Batch> | undefined
  let failure: { readonly error: unknown } | undefined
  let pulling: Promise<boolean> | undefined
  // Whoever asks again after a failure must not take the rows before it for all of them.
  const pull = async (): Promise<boolean> => {
    if (failure !== undefined) throw failure.error
    try {
      input ??= stream()[Symbol.asyncIterator]()
      const next = await input.next()
      if (next.done !== true) await store.append(next.value)
      return next.done !== true
    } catch (error) {
      failure = { error }
      throw error
    } finally {
      pulling = undefined
    }
  }
  return {
    async *read() {
      for (let seen = 0; ; ) {
        for await (const batch of store.read(seen)) {
          seen++
          yield batch
        }
        if (seen === store.batchCount && !(await (pulling ??= pull()))) return
      }
    },
    async close() {
      await input?.return?.()
      await store.discard()
    },
  }
}
