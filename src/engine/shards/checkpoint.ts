/**
 * The files of one consistent state of a database while it goes on being written: what a backup copies. They make up a
 * database by themselves: each shard's table files and the manifest that names them, and no log, since all is flushed.
 */
import type { Kernel } from '../../kernel/kernel.ts'
import { manifestFileName } from '../../lsm/file-names.ts'
import { encodeManifest } from '../../lsm/manifest-codec.ts'
import { tableFileName } from '../../lsm/table/table-file-name.ts'
import type { Tree, TreeCheckpoint } from '../../lsm/tree.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Checkpoint, CheckpointFile } from '../engine.ts'
import type { Committer } from './commit.ts'
import { formatFileName } from './format-file.ts'

/** Resolves when all is flushed that was visible in the step in which no statement was half visible. */
export async function takeEngineCheckpoint(kernel: Kernel, storage: Storage, trees: readonly Tree[], committer: Committer): Promise<Checkpoint> {
  for (let half = committer.halfVisible(); half !== undefined; half = committer.halfVisible()) await half
  const outcomes = await Promise.allSettled(trees.map((tree) => tree.checkpoint()))
  const taken = outcomes.filter((outcome) => outcome.status === 'fulfilled').map(({ value }) => value)
  const release = (): void => taken.forEach((each) => each.release())
  try {
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    const format = await storage.read(formatFileName)
    return { files: [...taken.flatMap((each) => shardFiles(kernel, storage, each)), wholeFile(formatFileName, format)], release }
  } catch (error) {
    release()
    throw error
  }
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
