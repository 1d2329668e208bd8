/** Files of a copy in a cluster, to those who look at them: verified as what they are, and not repaired. */
import { expect, test } from 'vitest'
import { repairDatabase } from '../../../src/engine/repair/repair-database.ts'
import { encodeFormat, formatFileName } from '../../../src/engine/shards/format-file.ts'
import { verifyDatabase } from '../../../src/engine/shards/verify-database.ts'
import { describeSegment } from '../../../src/lsm/log/describe-segment.ts'
import { decodeReplicaRecord } from '../../../src/lsm/replicated/replica-record.ts'
import { segmentText, replicaText } from '../../../src/cli/inspect/description-text.ts'
import type { Finding } from '../../../src/lsm/table/verify-table.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { openTestKernel } from '../../kernel/both-kinds.ts'
import { batchOf, commitTo, entryAt, openReplica } from '../../lsm/replicated/replica-fixture.ts'
import { failureOf } from '../../storage/storage-conformance.ts'

const kernel = openTestKernel('js', 8 * 1024 * 1024)

/** Files to 20, a cut from 60 to 30, and five entries of another epoch behind it. */
async function copyOfShard(): Promise<Storage> {
  const storage = createMemoryStorage()
  await storage.createIfAbsent(formatFileName, [encodeFormat(kernel, { databaseId: '0'.repeat(32), shards: 1 })])
  const replica = await openReplica(kernel, storage)
  await replica.storeEpoch(2)
  const put = (epoch: number, sequence: number): ReturnType<typeof entryAt> => entryAt(epoch, sequence, batchOf(new Map([[sequence, 'x'.repeat(100)]]), { defines: sequence === 1 }))
  const first = put(1, 1)
  await replica.append([first, ...Array.from({ length: 60 - first.lastSequence }, (_, i) => put(2, first.lastSequence + 1 + i))])
  await commitTo(replica, 20)
  await replica.tree.flush()
  await replica.storeEpoch(3)
  await replica.truncate(30)
  await replica.append(Array.from({ length: 5 }, (_, i) => put(3, 31 + i)))
  await replica.close()
  return storage
}

async function verified(storage: Storage): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for await (const finding of verifyDatabase(storage, kernel)) findings.push(finding)
  return findings
}

test('verification knows cuts, and that record, log and files go together', async () => {
  expect(await verified(await copyOfShard())).toEqual([])
  const without = async (pattern: RegExp): Promise<readonly Finding[]> => {
    const storage = await copyOfShard()
    for (const { name } of await storage.list('')) if (pattern.test(name)) await storage.delete(name)
    return verified(storage)
  }
  expect(await without(/^wal\//)).toEqual([expect.objectContaining({ code: 'XX001', message: expect.stringMatching(/the entry that ends at sequence 20/) as string })])
  const damaged = await copyOfShard()
  const [record] = await damaged.list('replica/')
  const bytes = await damaged.read(record!.name)
  bytes[30]! ^= 1
  await damaged.delete(record!.name)
  await damaged.createIfAbsent(record!.name, [bytes])
  expect(await verified(damaged)).toEqual([expect.objectContaining({ code: 'XX001', file: record!.name })])
})

test('what they say is shown', async () => {
  const storage = await copyOfShard()
  const texts: string[] = []
  for (const { name } of await storage.list('wal/')) texts.push(segmentText(name, describeSegment(kernel, await storage.read(name))).split('\n')[1]!)
  expect(texts.filter((text) => text.includes('cuts off'))).toEqual([expect.stringMatching(/writer epoch 2, after sequence 30, where it cuts off what segments before it have$/)])
  const [record] = await storage.list('replica/')
  expect(replicaText('r', decodeReplicaRecord(kernel, await storage.read(record!.name), 'r'))).toBe('r: copy of shard 0, has promised epoch 3')
})

test('repair refuses: what is damaged in one copy is sound in another', async () => {
  const storage = await copyOfShard()
  const repair = async (): Promise<void> => {
    for await (const _ of repairDatabase({ storage, kernel, random: seededRandom(1), clock: systemClock, mayTakeOver: false })) void _
  }
  expect(await failureOf(repair())).toMatchObject({ code: '0A000', message: expect.stringMatching(/replica\/0\//) as string })
})
