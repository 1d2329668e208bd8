/** What flushes and compactions share: opening what a job wrote, and trying again after a failure. */
import type { LsmtError } from '../../errors.ts'
import { isOvertaken } from '../claim/writer-claim.ts'
import { isDiskFull } from '../disk-room.ts'
import { openTable } from '../table/table-reader.ts'
import { tableFileName } from '../table/table-file-name.ts'
import type { TableMeta } from '../table/table.ts'
import { noteTrouble, poison } from './tree-state.ts'
import type { TreeState } from './tree-state.ts'
import { tableFile } from './version.ts'
import type { TableFile } from './version.ts'

export interface OpenedOutputs {
  readonly files: readonly TableFile[]
  /** Closes and deletes them: no manifest names them. */
  discard(): Promise<void>
}

export async function openOutputs(state: TreeState, metas: readonly TableMeta[]): Promise<OpenedOutputs> {
  const { storage, kernel, cache, shard } = state.options
  const files: TableFile[] = []
  const discard = async (): Promise<void> => {
    for (const { reader } of files) await reader.close()
    // After a failed publication the manifest may stand nevertheless: what it names must stay.
    if (state.failure !== undefined) return
    for (const { fileNumber } of metas) await storage.delete(tableFileName(shard, fileNumber))
  }
  try {
    for (const meta of metas) files.push(tableFile(await openTable({ storage, kernel, cache, meta, shard })))
    return { files, discard }
  } catch (error) {
    await discard()
    throw error
  }
}

export const canWork = ({ isClosed, failure }: TreeState): boolean => !isClosed && failure === undefined

/** What a failed step is told as. To have been overtaken explains files that are gone, and ends writes. */
export async function reasonOf(state: TreeState, error: unknown): Promise<unknown> {
  const { claim } = state.options
  if (claim === undefined || state.failure !== undefined) return error
  const found = await claim.assertStillMine().then(() => undefined, (failure: unknown) => failure)
  if (!isOvertaken(found)) return error
  poison(state, found)
  return found
}

const retryMsMin = 100, retryMsMax = 30_000

/** Runs `step` until it is done, the tree closes, or writes have ended; a failing step is tried again, ever more slowly. */
export async function withRetries(state: TreeState, what: string, step: () => Promise<'again' | 'done'>): Promise<void> {
  const { signal } = state.closing
  let retryMs = retryMsMin
  while (canWork(state)) {
    try {
      if ((await step()) === 'done') return
      retryMs = retryMsMin
    } catch (error) {
      if (signal.aborted) return
      noteTrouble(state, what, error)
      if (isDiskFull(error)) await waitForRoom(state, error)
      await sleepUnlessAborted(state, retryMs)
      retryMs = Math.min(retryMsMax, retryMs * 2)
    }
  }
}

/** Writers that wait for relief are told that none comes soon. */
async function waitForRoom(state: TreeState, error: LsmtError): Promise<void> {
  const { room } = state.options
  room.noteFull(error)
  const hopeless = state.waiters.filter(({ sequence }) => sequence < 0)
  state.waiters = state.waiters.filter(({ sequence }) => sequence >= 0)
  for (const waiter of hopeless) waiter.reject(room.refusal ?? error)
  await room.awaitRoom()
}

async function sleepUnlessAborted(state: TreeState, ms: number): Promise<void> {
  const { signal } = state.closing
  await new Promise<void>((resolve) => {
    const wake = (): void => {
      signal.removeEventListener('abort', wake)
      resolve()
    }
    signal.addEventListener('abort', wake)
    void state.options.clock.sleep(ms).then(wake)
  })
}

