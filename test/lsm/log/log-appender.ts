/** Appends to the log in the directory given, in waves, and says each acknowledged wave's last sequence, until killed. */
import { openLocalStorage } from '../../../src/storage/local-storage.ts'
import { batchOf, openLog, readAll } from './log-fixture.ts'

const storage = await openLocalStorage(process.argv[2]!)
const before = await readAll(storage)
const log = await openLog(storage, { settings: { logSegmentBytes: 40_000 }, firstSegmentNumber: before.lastSegmentNumber + 1, baseSequence: before.lastSequence })
for (let sequence = before.lastSequence; ;) {
  const wave = Array.from({ length: 1 + (sequence % 7) }, () => log.append(++sequence, batchOf(sequence, 1, (sequence * 37) % 500)))
  await Promise.all(wave)
  process.stdout.write(`${sequence}\n`)
}
