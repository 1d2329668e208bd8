/** The conformance suite over a real S3 server. */
import { expect, it } from 'vitest'
import { attachStorage, openStorage } from '../../../src/storage/open-storage.ts'
import { describeStorage } from '../storage-conformance.ts'
import { describeS3, freshAddress } from './s3-server.ts'

describeS3('a real S3 server', () => {
  describeStorage('s3', async () => {
    const storage = await openStorage(await freshAddress())
    return { storage, dispose: () => storage.close() }
  }, { appends: false })

  // A thousand names take seconds; everyday runs turn pages of a scripted bucket.
  it.runIf(process.env['LSMT_TEST_FULL'])('lists more names than fit into one answer, in order', async () => {
    const storage = await openStorage(await freshAddress())
    const names = Array.from({ length: 1_100 }, (_, i) => `n/${String(i).padStart(20, '0')}`)
    await Promise.all(names.map((name) => storage.createIfAbsent(name, [])))
    const before = storage.requests!.puts
    expect((await storage.list('n/')).map(({ name }) => name)).toEqual(names)
    expect(storage.requests!.puts - before).toBe(2)
    await storage.close()
  })

  it('keeps empty objects, which have no byte to read', async () => {
    const storage = await openStorage(await freshAddress())
    await storage.createIfAbsent('empty', [])
    expect(await storage.read('empty')).toEqual(new Uint8Array(0))
    expect((await storage.open('empty')).byteLength).toBe(0)
    expect(await storage.createIfAbsent('empty', [])).toBe('exists')
    await storage.close()
  })

  it('asks one thing when it is opened, once the store has been probed', async () => {
    const address = await freshAddress()
    await (await openStorage(address)).close()
    const storage = await openStorage(address)
    expect(storage.requests).toMatchObject({ puts: 0, gets: 1, deletes: 0 })
    await storage.close()
  })

  it('is opened by several at once, of which any sees what another has created', async () => {
    const address = await freshAddress()
    const [one, other] = await Promise.all([openStorage(address), openStorage(address)])
    const attached = await attachStorage(address)
    await one.createIfAbsent('a', [Uint8Array.of(1)])
    expect(await attached.read('a')).toEqual(Uint8Array.of(1))
    expect(await attached.list('')).toEqual([{ name: 'a', byteLength: 1 }])
    for (const storage of [one, other, attached]) await storage.close()
  })
})
