import { formatTimestamp } from '../../engine/temporal.ts'
import type { ArchiveLabel } from '../../http/backup/archive.ts'
import type { CliHost } from '../host.ts'

/** What a backup says of its making. */
export function archiveLabel({ version, clock }: Pick<CliHost, 'version' | 'clock'>): ArchiveLabel {
  return { lsmtVersion: version, createdAt: formatTimestamp(clock.wallMicros()) }
}
