/**
 * Operations of a transaction that a program may start as it likes, without waiting for one to end. They run one after
 * the other, in the order in which they were started; a write that fails leaves nothing behind, so the transaction can
 * go on after it. Rows that are read as they come stay open between turns: meanwhile nothing is written, since what they
 * read would change under them.
 */
import { LsmtError } from '../../errors.ts'
import type { EngineTransaction } from '../engine.ts'

export interface Turns {
  /** 25P01 after the end, or what it was ended with. */
  assertOpen(): void
  read<T>(run: () => Promise<T>): Promise<T>
  /** 55000 while rows are read as they come. */
  write<T>(run: () => Promise<T>): Promise<T>
  stream<T>(open: () => AsyncIterable<T>): AsyncGenerator<T>
  /** Takes no more operations, lets those that were started end, and ends what is read. With a reason they fail with it if they have not begun. */
  end(reason?: unknown): Promise<void>
}

export function createTurns(session: Pick<EngineTransaction, 'savepoint' | 'rollbackTo'>): Turns {
  const streams = new Set<AsyncIterator<unknown>>()
  let last: Promise<unknown> = Promise.resolve()
  let isOver = false
  let failure: { readonly reason: unknown } | undefined

  function assertOpen(): void {
    assertGoesOn()
    if (isOver) throw new LsmtError('25P01', 'the transaction is over')
  }

  function assertGoesOn(): void {
    if (failure !== undefined) throw failure.reason
  }

  async function inTurn<T>(run: () => T | Promise<T>): Promise<T> {
    assertOpen()
    const turn = last.then(() => {
      assertGoesOn()
      return run()
    })
    // Who started it is told.
    last = turn.catch(() => {})
    return await turn
  }

  return {
    assertOpen,
    read: inTurn,
    write: (run) =>
      inTurn(() => {
        if (streams.size > 0) throw new LsmtError('55000', 'rows of the transaction are being read: end that before the next write')
        return leavingNothing(session, run)
      }),
    async *stream(open) {
      const rows = await inTurn(() => {
        const opened = open()[Symbol.asyncIterator]()
        streams.add(opened)
        return opened
      })
      try {
        for (let step = await rows.next(); step.done !== true; step = await rows.next()) {
          yield step.value
          assertOpen()
        }
        // Rows that the end of the transaction cut off are not all rows.
        assertOpen()
      } finally {
        streams.delete(rows)
        await rows.return?.()
      }
    },
    async end(reason) {
      isOver = true
      if (reason !== undefined) failure ??= { reason }
      await last
      await Promise.all([...streams].map(async (rows) => rows.return?.()))
    },
  }
}

/** Drops what was written when it fails. */
async function leavingNothing<T>(session: Pick<EngineTransaction, 'savepoint' | 'rollbackTo'>, run: () => Promise<T>): Promise<T> {
  const before = session.savepoint()
  try {
    return await run()
  } catch (error) {
    try {
      session.rollbackTo(before)
    } catch {
      // Then the transaction says so from here on, whatever is asked of it: 25P02.
    }
    throw error
  }
}
