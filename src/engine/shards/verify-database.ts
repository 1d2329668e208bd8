/**
 * Verifies every file of a database that nobody writes to: the format, each shard's manifests, every table file that
 * the newest manifest names, every record of the log, and of a copy in a cluster whether they go together. Reads only; findings come as they are found.
 */
import { LsmtError } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { readClaims } from '../../lsm/claim/writer-claim.ts'
import { claimFileName, fileNumberOf, journalShard, logFolder, manifestFileName, manifestFolder, streamFolder } from '../../lsm/file-names.ts'
import { noJournal, readJournal, recordsAfter } from '../../lsm/log/journal/read-journal.ts'
import type { FoundJournal } from '../../lsm/log/journal/read-journal.ts'
import { readLog } from '../../lsm/log/log-reader.ts'
import type { ReadLog } from '../../lsm/log/log-reader.ts'
import type { LogCut } from '../../lsm/log/segment-scan.ts'
import { readChain } from '../../lsm/log/stream/stream-chain.ts'
import { recordsOfShard } from '../../lsm/log/stream/stream-log.ts'
import { decodeManifest } from '../../lsm/manifest-codec.ts'
import { loadManifest } from '../../lsm/manifest-store.ts'
import { emptyManifest } from '../../lsm/manifest.ts'
import type { ManifestState } from '../../lsm/manifest.ts'
import { checkpointFolder, decodeCheckpoint } from '../../lsm/pins/checkpoint-file.ts'
import { findLog } from '../../lsm/replicated/found-log.ts'
import { readReplicaRecord } from '../../lsm/replicated/replica-record.ts'
import type { RecordFloor } from '../../lsm/replicated/replica-record.ts'
import { verifyTable } from '../../lsm/table/verify-table.ts'
import type { Finding } from '../../lsm/table/verify-table.ts'
import { findingOf } from '../../lsm/table/verify/finding.ts'
import type { Storage } from '../../storage/storage.ts'
import { decodeFormat, formatFileName } from './format-file.ts'

export interface VerifyCounts {
  shards: number
  manifests: number
  tables: number
  logRecords: number
  findings: number
  /** Tails that a crash left and the next opening cuts: no damage, unless the disk altered what had been acknowledged. */
  readonly tornTails: LogCut[]
}

/** Yields what is wrong, file by file; returns what was looked at. */
export async function* verifyDatabase(storage: Storage, kernel: Kernel): AsyncGenerator<Finding, VerifyCounts> {
  const counts: VerifyCounts = { shards: 0, manifests: 0, tables: 0, logRecords: 0, findings: 0, tornTails: [] }
  for await (const finding of verifyAll(storage, kernel, counts)) {
    counts.findings++
    yield finding
  }
  return counts
}

async function* verifyAll(storage: Storage, kernel: Kernel, counts: VerifyCounts): AsyncGenerator<Finding> {
  const format = await attempt(formatFileName, async () => decodeFormat(kernel, await storage.read(formatFileName)))
  if (format.finding !== undefined) {
    // Without the format the number of shards is unknown, and nothing else can be judged.
    yield format.finding
    return
  }
  const journal = storage.appends ? yield* verifyJournal(storage, kernel, format.value.shards, counts) : noJournal
  const flushed = new Map<number, number>()
  let newestEpoch = 0
  for (let shard = 0; shard < format.value.shards; shard++) {
    counts.shards++
    const verified = yield* verifyShard(storage, kernel, shard, counts)
    if (verified === undefined) continue
    flushed.set(shard, verified.flushedSequence)
    newestEpoch = Math.max(newestEpoch, verified.writerEpoch)
    if (storage.appends) yield* verifyLog(storage, kernel, verified, journal, counts)
  }
  if (storage.appends) return
  yield* verifyClaims(storage, kernel, newestEpoch)
  yield* verifyCheckpoints(storage, kernel)
  yield* verifyStream(storage, kernel, flushed, counts)
}

/** Returns the sequence after which the shard's log counts, and who last published; undefined when its manifest does not tell. */
async function* verifyShard(storage: Storage, kernel: Kernel, shard: number, counts: VerifyCounts): AsyncGenerator<Finding, ManifestState | undefined> {
  const newest = await attempt(manifestFolder(shard), () => loadManifest(storage, kernel, shard))
  const damaged = new Set<string>()
  for await (const finding of verifyManifests(storage, kernel, shard, counts)) {
    damaged.add(finding.file)
    yield finding
  }
  if (newest.finding !== undefined) {
    if (!damaged.has(newest.finding.file)) yield newest.finding
    return undefined
  }
  yield* verifyTables(storage, kernel, newest.value, counts)
  return newest.value ?? emptyManifest(shard)
}

/** All that are kept, the newest included. */
async function* verifyManifests(storage: Storage, kernel: Kernel, shard: number, counts: VerifyCounts): AsyncGenerator<Finding> {
  const folder = manifestFolder(shard)
  for (const { name } of await storage.list(folder)) {
    const id = fileNumberOf(name, folder, 'manifest')
    if (id === undefined) continue
    counts.manifests++
    const file = manifestFileName(shard, id)
    const { finding } = await attempt(file, async () => decodeManifest(kernel, await storage.read(file), file))
    if (finding !== undefined) yield finding
  }
}

async function* verifyTables(storage: Storage, kernel: Kernel, manifest: ManifestState | undefined, counts: VerifyCounts): AsyncGenerator<Finding> {
  for (const meta of manifest?.tables.flatMap(({ levels }) => levels.flat()) ?? []) {
    counts.tables++
    yield* await verifyTable(storage, kernel, meta, manifest!.shard)
  }
}

/** Nothing where it cannot be read: then the shards' own logs are verified without. */
async function* verifyJournal(storage: Storage, kernel: Kernel, shards: number, counts: VerifyCounts): AsyncGenerator<Finding, FoundJournal> {
  const journal = await attempt(logFolder(journalShard), () => readJournal({ storage, kernel }, shards))
  if (journal.finding !== undefined) {
    yield journal.finding
    return noJournal
  }
  counts.tornTails.push(...journal.value.cuts)
  return journal.value
}

/** What a shard has of the journal is part of its log. */
async function* verifyLog(storage: Storage, kernel: Kernel, manifest: ManifestState, journal: FoundJournal, counts: VerifyCounts): AsyncGenerator<Finding> {
  const { shard, flushedSequence } = manifest
  const { finding } = await attempt(`wal/${shard}`, async () => {
    const log = await readLog({ storage, kernel, shard, afterSequence: flushedSequence })
    for await (const _ of log.records()) counts.logRecords++
    counts.tornTails.push(...log.cuts)
    counts.logRecords += recordsAfter(journal, shard, Math.max(log.lastSequence, flushedSequence)).length
    await verifyReplica({ storage, kernel, shard }, manifest, log)
  })
  if (finding !== undefined) yield finding
}

/** Of a copy in a cluster: record, log and files go together. Where files are about to take the place of others they need not yet. */
async function verifyReplica(floor: RecordFloor, manifest: ManifestState, log: ReadLog): Promise<void> {
  const record = await readReplicaRecord(floor)
  if (record.number > 0 && record.install === undefined) await findLog(manifest, record, log, 0)
}

/** A claim that a later one has overtaken need only be there, and not be readable. All are kept, so none may be missing before the newest, nor the one that the newest manifest was published under; unless there are none, as in what a backup brought. */
async function* verifyClaims(storage: Storage, kernel: Kernel, newestEpoch: number): AsyncGenerator<Finding> {
  let expected: number | undefined
  const claims = await readClaims({ storage, kernel })
  for (const { epoch } of claims) {
    yield* missingClaims(expected ?? epoch, epoch)
    expected = epoch + 1
  }
  const damage = claims.at(-1)?.damage
  if (damage !== undefined) yield findingOf(claimFileName(claims.at(-1)!.epoch), damage)
  if (expected !== undefined) yield* missingClaims(expected, newestEpoch + 1)
}

function* missingClaims(from: number, before: number): Generator<Finding> {
  for (let epoch = from; epoch < before; epoch++) {
    const file = claimFileName(epoch)
    yield findingOf(file, new LsmtError('58P01', `${file} is missing: a writer that was overtaken may not see it`, { file }))
  }
}

async function* verifyCheckpoints(storage: Storage, kernel: Kernel): AsyncGenerator<Finding> {
  for (const { name } of await storage.list(checkpointFolder)) {
    const { finding } = await attempt(name, async () => decodeCheckpoint(kernel, await storage.read(name), name))
    if (finding !== undefined) yield finding
  }
}

/** The log of all shards where it is one stream. */
async function* verifyStream(storage: Storage, kernel: Kernel, flushed: ReadonlyMap<number, number>, counts: VerifyCounts): AsyncGenerator<Finding> {
  const stream = 0
  const chain = await attempt(streamFolder(stream), () => readChain({ storage, kernel, stream }))
  if (chain.finding !== undefined) {
    yield chain.finding
    return
  }
  for (const [shard, flushedSequence] of flushed) {
    const records = await attempt(streamFolder(stream), async () => recordsOfShard(stream, chain.value.objects, shard, flushedSequence))
    if (records.finding !== undefined) yield records.finding
    else counts.logRecords += records.value.length
  }
}

type Attempt<T> = { readonly value: T; readonly finding?: undefined } | { readonly finding: Finding }

/** What is wrong with a file becomes a finding; everything else is raised. */
async function attempt<T>(file: string, run: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { value: await run() }
  } catch (error) {
    const finding = findingOf(file, error)
    return { finding: { ...finding, file: evidenceFile(error) ?? file } }
  }
}

/** The name within the storage that an error is about; paths of the operating system are not names. */
function evidenceFile(error: unknown): string | undefined {
  const file = error instanceof LsmtError ? error.evidence.file : undefined
  return file?.startsWith('/') === true ? undefined : file
}
