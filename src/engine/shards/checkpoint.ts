/**
 * The files of one consistent state of a database while it goes on being written: what a backup copies. They make up a
 * database by themselves: each shard's table files and the manifest that names them, and no log, since all is flushed.
 */
import { LsmtError } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { epochOfFile } from '../../lsm/claim/claim-manifest.ts'
import { randomId } from '../../lsm/claim/writer-claim.ts'
import { manifestFileName } from '../../lsm/file-names.ts'
import { encodeManifest } from '../../lsm/manifest-codec.ts'
import { makeCheckpoint } from '../../lsm/pins/checkpoints.ts'
import { tableFileName } from '../../lsm/table/table-file-name.ts'
import type { Tree, TreeCheckpoint } from '../../lsm/tree.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Random } from '../../runtime/random.ts'
import type { Checkpoint, CheckpointFile, CheckpointOptions } from '../engine-checkpoint.ts'
import type { Committer } from './commit.ts'
import { formatFileName } from './format-file.ts'

/** Resolves when all is flushed that was visible in the step in which no statement was half visible. */
export async function takeEngineCheckpoint(kernel: Kernel, storage: Storage, trees: readonly Tree[], committer: Committer): Promise<Checkpoint> {
  const { taken, release } = await takeTrees(trees, committer)
  try {
    const format = await storage.read(formatFileName)
    return { files: [...taken.flatMap((each) => shardFiles(kernel, storage, each)), wholeFile(formatFileName, format)], release }
  } catch (error) {
    release()
    throw error
  }
}

interface TakenTrees {
  /** By shard. */
  readonly taken: readonly TreeCheckpoint[]
  readonly release: () => void
}

async function takeTrees(trees: readonly Tree[], committer: Committer): Promise<TakenTrees> {
  for (let half = committer.halfVisible(); half !== undefined; half = committer.halfVisible()) await half
  const outcomes = await Promise.allSettled(trees.map((tree) => tree.checkpoint()))
  const taken = outcomes.filter((outcome) => outcome.status === 'fulfilled').map(({ value }) => value)
  const release = (): void => taken.forEach((each) => each.release())
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed === undefined) return { taken, release }
  release()
  throw failed.reason
}

export interface StoringFloor {
  readonly kernel: Kernel
  readonly storage: Storage
  readonly clock: Clock
  readonly random: Random
  readonly trees: readonly Tree[]
  readonly committer: Committer
}

const triesMax = 8

/** See `Engine.storeCheckpoint`. Files stay with the trees until the object stands; what an earlier writer has made might go before, then it is taken anew. */
export async function storeEngineCheckpoint({ kernel, storage, clock, random, trees, committer }: StoringFloor, { name, keepMs }: CheckpointOptions): Promise<string> {
  if (storage.appends) throw new LsmtError('0A000', `checkpoints that are kept are for buckets: ${storage.description} belongs to this process`, { hint: 'lsmt backup copies a state of it' })
  for (let tries = 1; tries <= triesMax; tries++) {
    const { taken, release } = await takeTrees(trees, committer)
    try {
      const [id, nowMicros] = [randomId(random), Number(clock.wallMicros())]
      const checkpoint = { name, createdAtMicros: nowMicros, expiresAtMicros: keepMs === undefined ? undefined : nowMicros + keepMs * 1_000, manifests: taken.map(({ manifest }) => manifest) }
      if (await makeCheckpoint(storage, kernel, id, checkpoint, (fileNumber, { writerEpoch }) => epochOfFile(fileNumber) < writerEpoch)) return id
    } finally {
      release()
    }
  }
  throw new LsmtError('40001', 'files were replaced whenever a checkpoint was made of them', { hint: 'try again when there is less to compact' })
}

function shardFiles(kernel: Kernel, storage: Storage, { manifest }: TreeCheckpoint): readonly CheckpointFile[] {
  const metas = manifest.tables.flatMap(({ levels }) => levels.flat())
  return [
    ...metas.map(({ fileNumber, byteLength }) => storedFile(storage, tableFileName(manifest.shard, fileNumber), byteLength)),
    wholeFile(manifestFileName(manifest.shard, manifest.id), encodeManifest(kernel, manifest)),
  ]
}

function wholeFile(name: string, bytes: Uint8Array): CheckpointFile {
  return {
    name,
    byteLength: bytes.length,
    async *read() {
      yield bytes
    },
  }
}

const pieceBytes = 4 * 1024 * 1024

/** A published file, read in pieces: each is a request where the storage is far away. */
export function storedFile(storage: Storage, name: string, byteLength: number): CheckpointFile {
  return {
    name,
    byteLength,
    async *read() {
      const file = await storage.open(name, byteLength)
      try {
        for (let at = 0; at < byteLength; at += pieceBytes) {
          const piece = new Uint8Array(Math.min(pieceBytes, byteLength - at))
          await file.read(piece, at)
          yield piece
        }
      } finally {
        await file.close()
      }
    },
  }
}
