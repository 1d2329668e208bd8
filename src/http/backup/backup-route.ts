/** GET /backup: a consistent copy of the database as a tar archive, while writes go on. */
import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Checkpoint } from '../../engine/engine-checkpoint.ts'
import { backupArchive } from './archive.ts'
import type { ArchiveLabel } from './archive.ts'

export interface BackupRoute {
  readonly checkpoint: () => Promise<Checkpoint>
  readonly archiveLabel: () => ArchiveLabel
}

/** Rejects when nothing was sent; an archive that breaks off later is a body that does. */
export async function answerBackup({ checkpoint, archiveLabel }: BackupRoute, response: ServerResponse): Promise<void> {
  const taken = await checkpoint()
  response.writeHead(200, { 'content-type': 'application/x-tar', 'content-disposition': 'attachment; filename="lsmt-backup.tar"' })
  await pipeline(Readable.from(backupArchive(taken, archiveLabel()), { objectMode: false }), response)
}
