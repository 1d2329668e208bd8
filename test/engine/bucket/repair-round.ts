/** A database in a bucket is damaged, repaired, and used again: what must hold whatever was damaged. */
import { expect } from 'vitest'
import type { EngineRow } from '../../../src/engine/engine.ts'
import type { Loss } from '../../../src/engine/repair/loss.ts'
import { repairDatabase } from '../../../src/engine/repair/repair-database.ts'
import { verifyDatabase } from '../../../src/engine/shards/verify-database.ts'
import { reserveLinearMemory } from '../../../src/kernel/linear-memory.ts'
import { openKernel } from '../../../src/kernel/open-kernel.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import type { Random } from '../../../src/runtime/random.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { scanAll } from '../engine-fixtures.ts'
import { openTestEngine } from '../open-test-engine.ts'

const kernel = openKernel('js', reserveLinearMemory(64 * 1024 * 1024))
export const rows: readonly EngineRow[] = Array.from({ length: 200 }, (_, i) => [`key ${String(i).padStart(4, '0')}`, `value ${i} ${'x'.repeat(i % 90)}`])
/** Rows in table files; those behind them are in the log, ten a statement. */
export const flushedCount = 150

export type Damage = 'flipped' | 'cut' | 'gone'

/** Two writers, one after the other. */
export async function fillDatabase(storage: Storage): Promise<void> {
  const engine = await openTestEngine(storage, { shards: 2, kernels: 'js' })
  const kv = engine.table('kv')!
  await engine.insert(kv, rows.slice(0, flushedCount), 'insert')
  await engine.flush()
  for (let at = flushedCount; at < rows.length; at += 10) await engine.insert(kv, rows.slice(at, at + 10), 'insert')
  await engine.close()
  await (await openTestEngine(storage, { kernels: 'js' })).close()
}

export async function damage(storage: Storage, name: string, how: Damage, random: Random): Promise<void> {
  const bytes = Buffer.from(await storage.read(name))
  await storage.delete(name)
  if (how === 'gone') return
  bytes[random.below(bytes.length)]! ^= 1 << random.below(8)
  await storage.createIfAbsent(name, [how === 'flipped' ? bytes : bytes.subarray(0, random.below(bytes.length))])
}

export async function repairIt(storage: Storage, seed = 1): Promise<readonly Loss[]> {
  const losses: Loss[] = []
  for await (const loss of repairDatabase({ storage, kernel, clock: systemClock, random: seededRandom(90_000 + seed), mayTakeOver: true })) losses.push(loss)
  return losses
}

export async function findingsIn(storage: Storage): Promise<readonly string[]> {
  const found: string[] = []
  for await (const { file, message } of verifyDatabase(storage, kernel)) found.push(`${file}: ${message}`)
  return found
}

/** Opens it, writes to it, flushes it and opens it again, without a finding anywhere; tells which of the rows are there. */
export async function rowsAfter(storage: Storage): Promise<readonly EngineRow[]> {
  expect(await findingsIn(storage)).toEqual([])
  const engine = await openTestEngine(storage, { kernels: 'js' })
  const found = await scanAll(engine, engine.table('kv')!)
  await engine.insert(engine.table('kv')!, [['late 1', 'x'], ['late 2', 'x'], ['late 3', 'x']], 'insert')
  await engine.close()
  for (let opening = 0; opening < 2; opening++) {
    const again = await openTestEngine(storage, { kernels: 'js' })
    expect((await scanAll(again, again.table('kv')!)).filter(([key]) => !String(key).startsWith('late'))).toEqual(found)
    expect(await scanAll(again, again.table('kv')!)).toHaveLength(found.length + 3)
    await again.flush()
    await again.close()
    expect(await findingsIn(storage)).toEqual([])
  }
  expect(await repairIt(storage, 2)).toEqual([])
  for (const row of found) expect(rows).toContainEqual(row)
  return found
}

/** Rows that the losses tell to be gone at most; undefined when nobody can tell. */
export function lostRowsMax(losses: readonly Loss[]): number | undefined {
  let lost = 0
  for (const loss of losses) {
    if (loss.kind === 'logStream') for (const { firstSequence, lastSequence } of loss.shards) lost += lastSequence - firstSequence + 1
    if (loss.kind === 'tableFile') {
      if (loss.contents === undefined) return undefined
      lost += loss.contents.rowCount
    }
  }
  return lost
}
