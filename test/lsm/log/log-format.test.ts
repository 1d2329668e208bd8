/** The bytes of the log as they must stay: a change here makes logs that exist unreadable and needs a new version. */
import { describe, expect, it } from 'vitest'
import { readLog } from '../../../src/lsm/log/log-reader.ts'
import { openLogWriter } from '../../../src/lsm/log/log-writer.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { kinds, openTestKernel } from '../../kernel/both-kinds.ts'
import { batchOf, shard } from './log-fixture.ts'
import { createDiskRoom } from '../../../src/lsm/disk-room.ts'

const golden = [
  '4c534d5457414c31 0100 0100 03000000', // magic, version, xxh64, shard
  '0000000000001c40 0000000000001440', // segment 7, epoch 5
  '0000000000005940 00000000000000000000000000000000', // after sequence 100
]

describe.each(kinds)('the log format under %s kernels', (kind) => {
  it('is the drawn one, and read by the other kind', async () => {
    const storage = createMemoryStorage()
    const log = await openLogWriter({
      storage, kernel: openTestKernel(kind), shard, settings: { logSegmentBytes: 256 }, durability: 'sync', syncIntervalMs: 1, clock: systemClock, room: createDiskRoom(storage, systemClock),
      firstSegmentNumber: 7, writerEpoch: 5, baseSequence: 100,
    })
    await log.append(101, batchOf(101, 2, 5))
    await log.append(103, batchOf(103, 1, 0))
    await log.close()
    const bytes = Buffer.from(await storage.read('wal/3/00000000000000000007.wal'))
    expect(bytes.toString('hex', 0, 56)).toBe(golden.join('').replaceAll(' ', ''))
    const first = '1d000000 e2ffffff 0000000000405940 0000000000005940'.replaceAll(' ', '') + Buffer.from(batchOf(101, 2, 5)).toString('hex') + '000000'
    expect(bytes.toString('hex', 72, 128)).toBe(first)
    const second = '18000000 e7ffffff 0000000000c05940 0000000000805940'.replaceAll(' ', '') + Buffer.from(batchOf(103, 1, 0)).toString('hex')
    expect(bytes.toString('hex', 136, 184)).toBe(second)
    expect([56, 64, 128].map((at) => bytes.readBigUInt64LE(at).toString(16))).toEqual(['da9dfb652a182f99', 'b1b3019cafadac89', '1c5b44864b9630aa'])
    const other = openTestKernel(kind === 'js' ? 'wasm' : 'js')
    const read = await readLog({ storage, kernel: other, shard, afterSequence: 100 })
    expect(read).toMatchObject({ recordCount: 2, lastSequence: 103, lastSegmentNumber: 7 })
  })
})
