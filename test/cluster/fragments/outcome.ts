/** Answers of two trees as texts that are equal when they are. */
import type { Kernel } from '../../../src/kernel/kernel.ts'
import type { TableLayout } from '../../../src/lsm/layout.ts'
import type { ScanCursor, Snapshot, Tree } from '../../../src/lsm/tree.ts'
import { readHandle, readPage } from '../../lsm/tree/tree-rows.ts'

/** What work gives, or its error, as text. */
export async function outcomeOf(work: () => Promise<unknown>): Promise<string> {
  try {
    return plain(await work())
  } catch (error) {
    const { code, message, evidence } = error as { code?: string; message: string; evidence?: { position?: number } }
    return plain({ code, message, position: evidence?.position })
  }
}

/** Every bit of values told apart, but for sums of doubles: added in another order, as files are compacted meanwhile, they agree to many digits. */
export function plain(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => {
    if (isSum(each)) return { count: each.count, sum: rounded(each.high + each.low) }
    if (typeof each === 'bigint') return `i64 ${each}`
    if (typeof each === 'number') return Object.is(each, -0) ? '-0' : String(each)
    return each instanceof Uint8Array ? `bytes ${Buffer.from(each).toString('hex')}` : each
  })
}

/** All rows of a scan. */
export async function rowsOf(kernel: Kernel, cursor: ScanCursor, hasKeys: boolean): Promise<unknown> {
  try {
    const rows: unknown[] = []
    for (let page = await cursor.next(); page !== undefined; page = await cursor.next()) rows.push(...readPage(kernel, hasKeys ? page : { ...page, keyAt: () => ({ address: 0, byteLength: 0 }) }))
    return rows
  } finally {
    cursor.close()
  }
}

/** The row of a key. */
export async function readKey(kernel: Kernel, tree: Pick<Tree, 'get'>, snapshot: Snapshot | undefined, layout: TableLayout, bytes: Uint8Array): Promise<unknown> {
  const key = kernel.heap.allocate(Math.max(1, bytes.length))
  try {
    for (;;) {
      kernel.memory.u8.set(bytes, key)
      const found = tree.get(snapshot, layout.tableId, key, bytes.length)
      if (found === undefined) return undefined
      if (!('fetch' in found)) return readHandle(kernel, layout, found)
      await found.fetch()
      const answer = found.elsewhere?.answer()
      if (answer !== undefined) return answer.row && readHandle(kernel, layout, answer.row)
    }
  } finally {
    kernel.heap.free(key)
  }
}

const isSum = (value: unknown): value is { readonly count: number; readonly high: number; readonly low: number } => typeof value === 'object' && value !== null && 'count' in value && 'high' in value

/** What a sum of doubles is, in whatever order they are added. */
export const rounded = (sum: number): number => Number(sum.toPrecision(10))
