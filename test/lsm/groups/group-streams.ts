/** Pages of rows by which groups are tried: integers as keys, and columns beside them, as vectors and as chunks. */
import type { Kernel } from '../../../src/kernel/kernel.ts'
import type { GroupRows } from '../../../src/lsm/groups/group-rows.ts'
import type { Vector } from '../../../src/lsm/page.ts'
import type { Random } from '../../../src/runtime/random.ts'
import { putBits } from '../../kernel/both-kinds.ts'
import { putChunk, putVector } from '../../kernel/scan-columns.ts'

/** Of the rows. */
export const columns = ['i64', 'i64', 'f64'] as const

export interface Page {
  readonly keys: readonly (bigint | null)[]
  readonly whole: readonly (bigint | null)[]
  readonly decimals: readonly (number | null)[]
  readonly selected: readonly boolean[] | undefined
  readonly isEncoded: boolean
}

export type Stream = (page: number, random: Random) => bigint
export const streams: Readonly<Record<string, Stream>> = {
  'close together': (_, random) => BigInt(random.below(3000)) - 500n,
  'ever wider': (page, random) => BigInt(random.below(2000 * 2 ** page) - 1000 * page),
  'close together after some that are not': (page, random) => (page === 0 ? BigInt(random.below(9)) * 2n ** 50n : BigInt(random.below(5000))),
  'at the end of the safe integers': (_, random) => 2n ** 53n - BigInt(random.below(2000)),
  'far apart': (page, random) => BigInt(random.below(20)) * 2n ** 40n + BigInt(page),
  'few among many places': (_, random) => BigInt(random.below(3)) * 30_000n,
}

export function randomPage(page: number, stream: Stream, random: Random): Page {
  const count = [2150, 2150, 700, 64][random.below(4)]!, hasNulls = page % 3 === 1
  const rows = <T>(value: () => T): (T | null)[] => Array.from({ length: count }, () => (hasNulls && random.below(9) === 0 ? null : value()))
  return {
    keys: rows(() => stream(page, random)), whole: rows(() => BigInt(random.below(1000)) - 400n), decimals: rows(() => random.below(100_000) / 100),
    selected: random.below(2) === 0 ? undefined : Array.from({ length: count }, () => random.below(3) > 0),
    isEncoded: random.below(3) > 0,
  }
}

export function rowsOf(kernel: Kernel, { keys, whole, decimals, selected, isEncoded }: Page): GroupRows {
  const given = [{ kind: 'i64', rows: keys }, { kind: 'i64', rows: whole }, { kind: 'f64', rows: decimals }] as const
  const chunks = given.map((column) => (isEncoded ? putChunk(kernel, column) : 0))
  const vectors = given.map((column): Vector => ({ kind: column.kind, values: putVector(kernel, column).values, nulls: putBits(kernel, column.rows.map((value) => value === null)) }))
  return { rowCount: keys.length, selection: selected === undefined ? 0 : putBits(kernel, selected), chunk: (ordinal) => chunks[ordinal]!, vector: (ordinal) => vectors[ordinal]! }
}
