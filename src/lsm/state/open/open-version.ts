/**
 * The table files that a manifest names, opened. Of those that were listed, in the length that they should have, nothing is
 * read before it is needed, so that an opening takes as long for many of them as for few.
 */
import type { ManifestState } from '../../manifest.ts'
import { openTable } from '../../table/table-reader.ts'
import type { TableFileLengths } from '../table-files.ts'
import type { TreeOptions } from '../tree-state.ts'
import { createVersion, filesOf, tableFile } from '../version.ts'
import type { TableFile, Version } from '../version.ts'

export interface KnownFiles {
  /** Files that it has open are not opened again. */
  readonly version?: Version
  /** What a listing has told. */
  readonly lengths?: TableFileLengths
}

const opensAtOnce = 16

/** 58P01 when a file is gone, for which another one has taken over where somebody writes. */
export async function openVersion({ storage, kernel, cache, shard }: TreeOptions, manifest: ManifestState, { version: known, lengths }: KnownFiles = {}): Promise<Version> {
  const kept = new Map([...(known === undefined ? [] : filesOf(known))].map((file) => [file.meta.fileNumber, file]))
  const metas = manifest.tables.flatMap(({ levels }) => levels.flat()).filter(({ fileNumber }) => !kept.has(fileNumber))
  const opened = new Map<number, TableFile>()
  try {
    for (let i = 0; i < metas.length; i += opensAtOnce) {
      const outcomes = await Promise.allSettled(metas.slice(i, i + opensAtOnce).map((meta) => {
        const stands = lengths?.get(meta.fileNumber) === meta.byteLength
        return openTable({ storage, kernel, cache, meta, shard, ...(stands && { tail: 'whenNeeded' }) })
      }))
      for (const outcome of outcomes) if (outcome.status === 'fulfilled') opened.set(outcome.value.meta.fileNumber, tableFile(outcome.value))
      const failed = outcomes.find((outcome) => outcome.status === 'rejected')
      if (failed !== undefined) throw failed.reason
    }
  } catch (error) {
    for (const { reader } of opened.values()) await reader.close()
    throw error
  }
  return createVersion(new Map(manifest.tables.map(({ tableId, levels }) => [tableId, levels.map((files) => files.map(({ fileNumber }) => kept.get(fileNumber) ?? opened.get(fileNumber)!))])))
}
