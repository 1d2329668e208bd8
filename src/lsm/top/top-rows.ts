/**
 * The first rows of a scan in the order of some columns. One object takes the candidates of all shards, so that each of
 * them profits by what the others have found. Candidates have the values of the order's columns; those of the other
 * columns are read at the end, of the rows that are left.
 */
import { createBest } from './best.ts'
import type { Best } from './best.ts'
import { compareRanks } from './rank.ts'
import type { RankKey, RankValue } from './rank.ts'

export interface TopKey extends RankKey {
  readonly ordinal: number
}

/** Where rows stand that were not read as a whole; good as long as the snapshot that they were found in. */
export interface RowSource {
  /** The columns of the rows, by row. */
  read(rows: readonly number[], ordinals: readonly number[]): Promise<readonly (readonly RankValue[])[]>
}

export interface TopRow {
  /** Of the order's columns. */
  readonly keys: readonly RankValue[]
  /** The other columns' values, or where they are. */
  readonly others: readonly RankValue[] | { readonly source: RowSource; readonly row: number }
}

export interface TopRows {
  readonly keys: readonly TopKey[]
  /** Ordinals that are wanted and no keys. */
  readonly others: readonly number[]
  /** How many rows are wanted. */
  readonly limit: number
  readonly best: Best<TopRow>
  /** The rows in order with the wanted columns, once all candidates were offered. */
  rows(): Promise<readonly (readonly RankValue[])[]>
}

/** `columns` are the ordinals that rows are to have, in this order; `limit` is at least 1. */
export function createTopRows(keys: readonly TopKey[], columns: readonly number[], limit: number): TopRows {
  const keyOf = (ordinal: number): number => keys.findIndex((key) => key.ordinal === ordinal)
  const others = columns.filter((ordinal) => keyOf(ordinal) < 0)
  const best = createBest<TopRow>(limit, (a, b) => compareRanks(keys, a.keys, b.keys))
  const places = columns.map((ordinal) => ({ key: keyOf(ordinal), other: others.indexOf(ordinal) }))
  return {
    keys, others, limit, best,
    async rows() {
      const winners = best.sorted()
      const read = await readOthers(winners, others)
      return winners.map((row, i) => places.map(({ key, other }) => (key >= 0 ? row.keys[key]! : read[i]![other]!)))
    },
  }
}

/** The other columns of the winners; each source is asked once. */
async function readOthers(winners: readonly TopRow[], ordinals: readonly number[]): Promise<readonly (readonly RankValue[])[]> {
  const values: (readonly RankValue[])[] = winners.map(() => [])
  if (ordinals.length === 0) return values
  const bySource = new Map<RowSource, { readonly rows: number[]; readonly winners: number[] }>()
  winners.forEach(({ others }, index) => {
    if (!('source' in others)) {
      values[index] = others
      return
    }
    const asked = bySource.get(others.source) ?? { rows: [], winners: [] }
    asked.rows.push(others.row)
    asked.winners.push(index)
    bySource.set(others.source, asked)
  })
  for (const [source, asked] of bySource) {
    const read = await source.read(asked.rows, ordinals)
    asked.winners.forEach((index, i) => (values[index] = read[i]!))
  }
  return values
}
