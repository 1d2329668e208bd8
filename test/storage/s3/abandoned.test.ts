/** Uploads that nobody completes, and scratch that nobody removes. */
import { describe, expect, it } from 'vitest'
import { openStorage } from '../../../src/storage/open-storage.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { describeS3, freshAddress } from './s3-server.ts'
import { scriptedStorage } from './scripted-storage.ts'

const dayMs = 86_400_000

async function leaveBehind(storage: Storage, name: string, byteLength: number): Promise<void> {
  const writer = await storage.create(name)
  await writer.append(new Uint8Array(byteLength))
}

const namesOf = (found: readonly { readonly name: string }[]): readonly string[] => found.map(({ name }) => name)

describe('what was left behind', () => {
  it('is found by the age that the store tells, page by page, and dropped', async () => {
    const { storage, bucket } = scriptedStorage({ nowMs: dayMs, pageObjects: 1 }, { partBytes: 1000 })
    await leaveBehind(storage, 'sst/0/a', 2500)
    await leaveBehind(storage, 'sst/0/b', 2500)
    await bucket.put('tmp/probe-1/x', new Uint8Array(3), 'id', { kind: 'absent' })
    const found = await storage.abandoned!(dayMs)
    expect(namesOf(found)).toEqual(['sst/0/a', 'sst/0/b', 'tmp/probe-1/x'])
    for (const { drop } of found) await drop()
    expect([bucket.uploads.size, bucket.objects.size]).toEqual([0, 0])
  })

  it('stays while it is younger', async () => {
    const { storage } = scriptedStorage({ nowMs: dayMs - 1 }, { partBytes: 1000 })
    await leaveBehind(storage, 'sst/0/a', 2500)
    expect(await storage.abandoned!(dayMs)).toEqual([])
  })
})

describeS3('what was left behind in a real store', () => {
  it('is found and dropped', async () => {
    const storage = await openStorage({ ...(await freshAddress()), settings: { partBytes: 5 * 1024 * 1024 } })
    await leaveBehind(storage, 'sst/0/a', 11 * 1024 * 1024)
    // It is begun while the writer goes on.
    await expect.poll(async () => namesOf(await storage.abandoned!(-10_000))).toEqual(['sst/0/a'])
    expect(await storage.abandoned!(dayMs)).toEqual([])
    const found = await storage.abandoned!(-10_000)
    await found[0]!.drop()
    expect(await storage.abandoned!(-10_000)).toEqual([])
    await storage.close()
  })
})
