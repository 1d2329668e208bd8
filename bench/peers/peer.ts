/** A database that holds the table of sales and answers SQL: what the benches need of each contestant. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { saleAt } from '../sql/sales.ts'
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
  /** What writes these rows, once it is called: texts and objects are made before, since they cost all contestants the same. */
  prepare(rows: readonly Sale[]): () => Promise<unknown> | void
  /** After the last rows, where they are kept until then. */
  finish?(): void
}

export interface OpenPeer extends Peer {
  /** The quickest way first. */
  readonly loadings: readonly Loading[]
  /** As `query`, for statements that run while others do: by another connection where there are such. */
  readonly beside: Peer['query']
  /** What is done once after a large load: compaction, checkpoint, statistics. */
  settle(): Promise<void>
}

/**
 * What the answer to a write promises: that it is on disk, whatever becomes of the machine, or that it outlives the
 * process, while a machine that loses power may lose the last moments.
 */
export type Commits = 'synced' | 'unsynced'

export interface PeerKind {
  readonly name: string
  /** What it can promise. */
  readonly commits: readonly Commits[]
  /** Whether its package is there; see package.json beside this file. */
  isInstalled(): boolean
  /** Opens the database of a directory, with an empty table of sales if it is new. Writes are synced if nothing else is asked for. */
  open(directory: string, commits?: Commits): Promise<OpenPeer>
}

const rowsPerStatement = 1_000

/** Writes rows `from` to `to` of the table, which exists, a thousand at a time. Returns the milliseconds in which the contestant worked. */
export async function loadRows({ prepare, finish }: Loading, sales: Sales, from: number, to: number): Promise<number> {
  let ms = 0
  for (let start = from; start < to; start += rowsPerStatement) {
    ms += await elapsedMs(prepare(Array.from({ length: Math.min(rowsPerStatement, to - start) }, (_, i) => saleAt(sales, start + i))))
  }
  return ms + (finish === undefined ? 0 : await elapsedMs(finish))
}

export async function elapsedMs(run: () => Promise<unknown> | void): Promise<number> {
  const start = performance.now()
  await run()
  return performance.now() - start
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
