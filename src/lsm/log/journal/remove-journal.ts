/**
 * Removes a journal of which all is in the shards' own logs. Several segments cannot go at once, and part of them looks
 * like a journal that lost the rest; so a mark is made first, which says that none of them is needed, and goes last.
 */
import type { Storage } from '../../../storage/storage.ts'
import { journalShard, logFolder } from '../../file-names.ts'

/** Beside the segments. */
export const takenMarkName = `${logFolder(journalShard)}taken`

/** `isMarked`: an earlier removal has not come to its end. */
export async function removeJournal(storage: Storage, files: readonly string[], isMarked: boolean): Promise<void> {
  const needsMark = isMarked || files.length > 1
  if (needsMark) await storage.createIfAbsent(takenMarkName, [Buffer.from('what is in the journal is in the logs of the shards\n')])
  for (const file of files) await storage.delete(file)
  if (needsMark) await storage.delete(takenMarkName)
}
