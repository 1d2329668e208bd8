/** Objects that go up in parts, when parts fail and completions get no answer. */
import { describe, expect, it } from 'vitest'
import { failureOf } from '../storage-conformance.ts'
import type { BucketScript, Fault } from './scripted-bucket.ts'
import { scriptedStorage } from './scripted-storage.ts'

const partBytes = 1000
const letters = (count: number): Uint8Array => Uint8Array.from({ length: count }, (_, i) => 97 + (i % 26))

/** Writes 3,500 bytes in four appends. */
async function write(script: BucketScript): Promise<{ readonly published: Promise<void>; readonly scripted: ReturnType<typeof scriptedStorage> }> {
  const scripted = scriptedStorage(script, { partBytes, partsInFlightMax: 2 })
  const writer = await scripted.storage.create('big')
  const bytes = letters(3500)
  for (let at = 0; at < bytes.length; at += 900) await writer.append(bytes.subarray(at, at + 900))
  return { published: writer.publish(), scripted }
}

/** A fault at the first request of a kind. */
const once = (kind: string, fault: Fault): BucketScript => {
  let isDone = false
  return {
    fault: (request) => {
      if (request.kind !== kind || isDone) return undefined
      isDone = true
      return fault
    },
  }
}

describe('an object in parts', () => {
  it('is put together in order, and never seen before it is whole', async () => {
    const { published, scripted: { storage, bucket } } = await write({})
    await published
    expect(await storage.read('big')).toEqual(letters(3500))
    expect(bucket.requests.filter((request) => request !== 'readWhole big').sort()).toEqual(['completeUpload big', 'head big', 'startUpload big', ...Array.from({ length: 4 }, () => 'uploadPart big')])
    expect(storage.counts).toMatchObject({ creates: 1, bytesWritten: 3500 })
    expect(storage.requests).toMatchObject({ puts: 6, gets: 2, bytesSent: 3500 })
  })

  it('is one request as long as it fits into a part', async () => {
    const { storage, bucket } = scriptedStorage({}, { partBytes })
    const writer = await storage.create('small')
    await writer.append(letters(999))
    await writer.publish()
    expect(bucket.requests).toEqual(['put small'])
  })

  it('holds no more than a few parts, however large it is', async () => {
    let underWay = 0
    let most = 0
    const { storage, bucket } = scriptedStorage({}, { partBytes, partsInFlightMax: 2 })
    bucket.uploadPart = async (_key, _uploadId, partNumber) => {
      most = Math.max(most, ++underWay)
      await new Promise((resolve) => setTimeout(resolve, 1))
      underWay--
      return { kind: 'done', value: `etag-${partNumber}` }
    }
    const writer = await storage.create('big')
    for (let i = 0; i < 40; i++) await writer.append(letters(500))
    expect(most).toBe(2)
    await writer.abort()
  })

  it.each<[string, Fault]>([['startUpload', 'lost-request'], ['startUpload', 'lost-answer'], ['uploadPart', 'lost-request'], ['uploadPart', 'lost-answer'], ['uploadPart', 'slow-down'], ['completeUpload', 'lost-request'], ['completeUpload', 'lost-answer'], ['completeUpload', 'unsupported'], ['head', 'lost-request']])('stands whole though %s has a %s', async (kind, fault) => {
    const { published, scripted: { storage } } = await write(once(kind, fault))
    await published
    expect(await storage.read('big')).toEqual(letters(3500))
  })

  it.each<[string, Fault]>([['startUpload', 'denied'], ['uploadPart', 'denied'], ['completeUpload', 'denied'], ['completeUpload', 'conflict']])('is dropped when %s is answered: %s', async (kind, fault) => {
    const { storage, bucket } = scriptedStorage({ fault: (request) => (request.kind === kind ? fault : undefined) }, { partBytes })
    const writer = await storage.create('big')
    await writer.append(letters(2500))
    expect((await failureOf(writer.publish())).code).toBe('58030')
    expect(bucket.objects.size + bucket.uploads.size).toBe(0)
  })

  it('does not go over an object that is there, as far as the store allows to know', async () => {
    for (const completesUnconditionally of [false, true]) {
      const { storage, bucket } = scriptedStorage({ completesUnconditionally }, { partBytes })
      const writer = await storage.create('big')
      await writer.append(letters(2500))
      bucket.objects.set('big', { bytes: letters(3), putId: 'theirs' })
      expect((await failureOf(writer.publish())).message).toContain('it exists')
      expect(bucket.objects.get('big')!.bytes).toEqual(letters(3))
      expect(bucket.uploads.size).toBe(0)
    }
  })

  it('is refused by the condition when another comes after the look', async () => {
    const { published, scripted } = await write({
      fault: ({ kind }) => {
        if (kind === 'completeUpload') scripted.bucket.objects.set('big', { bytes: letters(3), putId: 'theirs' })
        return undefined
      },
    })
    expect((await failureOf(published)).message).toContain('it exists')
  })

  it('has an unknown outcome when completing gets no answer', async () => {
    const { published } = await write({ fault: ({ kind }) => (kind === 'completeUpload' ? 'lost-request' : undefined) })
    expect((await failureOf(published)).code).toBe('40003')
  })

  it('fails at the append or at the end, when a part does', async () => {
    const { storage, bucket } = scriptedStorage({ fault: ({ kind }) => (kind === 'uploadPart' ? 'denied' : undefined) }, { partBytes })
    const writer = await storage.create('big')
    await writer.append(letters(1500))
    await new Promise((resolve) => setImmediate(resolve))
    expect((await failureOf(writer.append(letters(10)))).message).toContain('access denied')
    expect((await failureOf(writer.publish())).message).toContain('access denied')
    await writer.abort()
    expect(bucket.uploads.size).toBe(0)
  })

  it('is dropped by abort, parts under way included', async () => {
    const { storage, bucket } = scriptedStorage({}, { partBytes })
    const writer = await storage.create('big')
    await writer.append(letters(2500))
    await writer.abort()
    expect(bucket.uploads.size).toBe(0)
    expect(bucket.requests).not.toContain('completeUpload big')
  })
})
