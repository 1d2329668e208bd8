/** ORDER BY over physical values: NaN above all numbers and equal to itself, texts by their bytes, nulls at the end that is asked for. */

/** An i64 as a number when it is a safe one, otherwise a bigint. */
export type RankValue = null | number | bigint | Uint8Array

export interface RankKey {
  readonly descending: boolean
  readonly nullsFirst: boolean
}

/** Below zero when `a` comes first. */
export function compareRanked({ descending, nullsFirst }: RankKey, a: RankValue, b: RankValue): number {
  if (a === null || b === null) return a === b ? 0 : (a === null) === nullsFirst ? -1 : 1
  const order = compareValues(a, b)
  return descending ? -order : order
}

/** The same of several values, the first ones deciding. */
export function compareRanks(keys: readonly RankKey[], a: readonly RankValue[], b: readonly RankValue[]): number {
  for (let i = 0; i < keys.length; i++) {
    const order = compareRanked(keys[i]!, a[i]!, b[i]!)
    if (order !== 0) return order
  }
  return 0
}

function compareValues(a: number | bigint | Uint8Array, b: number | bigint | Uint8Array): number {
  if (a instanceof Uint8Array || b instanceof Uint8Array) return Buffer.compare(a as Uint8Array, b as Uint8Array)
  if (a < b) return -1
  if (a > b) return 1
  return a === b ? 0 : Number(Number.isNaN(a)) - Number(Number.isNaN(b))
}
