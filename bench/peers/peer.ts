/** A database that holds the table of sales and answers SQL: what the benches need of each contestant. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Sale, Sales } from '../sql/sales.ts'

/** Rows as objects by column name, as each contestant gives them to its users. */
export type PeerRows = readonly Readonly<Record<string, unknown>>[]

export interface Peer {
  /** Runs one statement; parameters are integers, written $1, $2. */
  query(sql: string, parameters?: readonly number[]): Promise<PeerRows> | PeerRows
  close(): Promise<void> | void
}

/** One way to write rows. */
export interface Loading {
  readonly name: string
  /** Rows `from` to `to` of the table, which exists. */
  load(sales: Sales, from: number, to: number): Promise<void>
}

export interface OpenPeer extends Peer {
  /** The quickest way first. */
  readonly loadings: readonly Loading[]
  /** As `query`, for statements that run while others do: by another connection where there are such. */
  readonly beside: Peer['query']
  /** What is done once after a large load: compaction, checkpoint, statistics. */
  settle(): Promise<void>
}

export interface PeerKind {
  readonly name: string
  /** Whether its package is there; see package.json beside this file. */
  isInstalled(): boolean
  /** Opens the database of a directory, with an empty table of sales if it is new. */
  open(directory: string): Promise<OpenPeer>
}

export const rowsPerStatement = 1_000

export function* statementRanges(from: number, to: number, rows = rowsPerStatement): Generator<readonly [number, number]> {
  for (let start = from; start < to; start += rows) yield [start, Math.min(start + rows, to)]
}

/** INSERT of many rows as text, equal for all contestants. */
export function insertText(rows: readonly Sale[]): string {
  const tuples = rows.map(({ id, ts, user_id, region, amount, status }) => `(${id}, ${ts}, ${user_id}, '${region}', ${amount}, '${status}')`)
  return `INSERT INTO sales VALUES ${tuples.join(', ')}`
}

export function bytesOnDisk(directory: string): number {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).reduce((bytes, entry) => bytes + statSync(join(entry.parentPath, entry.name)).size, 0)
}
