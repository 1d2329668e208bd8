/**
 * A new object of any size. A small one is one conditional put; a larger one goes up in parts, several at a time, so that
 * its writer holds a few parts and never the whole.
 *
 * Completing an upload is conditional too where the store honours that (AWS does, Ceph's gateway ignores it). So the
 * name is looked at before completing. Between look and completion another writer could create it; nothing is
 * lost by that, since names of such objects (table files) are unique to a writer's epoch: nobody else ever offers them.
 */
import { LsmtError } from '../../errors.ts'
import { existingObject } from '../storage-errors.ts'
import type { ObjectWriter, StorageCounts } from '../storage.ts'
import { repeat } from './attempts.ts'
import type { Attempts } from './attempts.ts'
import type { Answer, Bucket } from './bucket/bucket.ts'
import { completeOnce } from './complete-once.ts'
import type { S3Settings } from './s3-settings.ts'

const partsMax = 10_000
const firstRoomBytes = 64 * 1024

export interface WriterOptions {
  readonly bucket: Bucket
  readonly settings: S3Settings
  readonly name: string
  readonly key: string
  readonly putId: string
  readonly counts: StorageCounts
  readonly startAttempts: () => Attempts
  /** Creates the object in one request. */
  readonly putWhole: (body: Uint8Array) => Promise<'created' | 'exists'>
}

export function createS3Writer(options: WriterOptions): ObjectWriter {
  const { settings, name, counts } = options
  const upload = createPartUpload(options)
  const part = createPartBuffer(settings.partBytes)
  let state: 'writing' | 'published' | 'aborted' = 'writing'
  const assertWriting = (): void => {
    if (state !== 'writing') throw new LsmtError('55000', `cannot go on writing ${name}: it was ${state}`, { file: name })
    if (upload.failure !== undefined) throw upload.failure
  }
  return {
    async append(bytes) {
      assertWriting()
      // Copied before the first wait, so that appends which overlap keep their order.
      for (let at = 0; at < bytes.length; ) {
        at += part.add(bytes.subarray(at))
        if (part.byteLength === settings.partBytes) upload.send(part.take())
      }
      counts.bytesWritten += bytes.length
      await upload.hasRoom()
      if (upload.failure !== undefined) throw upload.failure
    },
    async publish() {
      assertWriting()
      state = 'published'
      counts.creates++
      if (!upload.isStarted) {
        if ((await options.putWhole(part.take())) === 'exists') throw existingObject(name)
        return
      }
      if (part.byteLength > 0) upload.send(part.take())
      await upload.complete()
    },
    async abort() {
      if (state !== 'writing') return
      state = 'aborted'
      await upload.drop()
    },
  }
}

interface PartBuffer {
  readonly byteLength: number
  /** Copies what fits and says how much did. */
  add(bytes: Uint8Array): number
  /** The bytes so far; the buffer is empty after. */
  take(): Uint8Array
}

function createPartBuffer(partBytes: number): PartBuffer {
  let room = new Uint8Array(0)
  let byteLength = 0
  const grow = (needed: number): void => {
    if (needed <= room.length) return
    const larger = new Uint8Array(Math.min(partBytes, Math.max(needed, room.length * 2, firstRoomBytes)))
    larger.set(room.subarray(0, byteLength))
    room = larger
  }
  return {
    get byteLength() { return byteLength },
    add(bytes) {
      const taken = bytes.subarray(0, partBytes - byteLength)
      grow(byteLength + taken.length)
      room.set(taken, byteLength)
      byteLength += taken.length
      return taken.length
    },
    take() {
      const bytes = room.subarray(0, byteLength)
      room = new Uint8Array(0)
      byteLength = 0
      return bytes
    },
  }
}

interface PartUpload {
  readonly isStarted: boolean
  /** The first error of a part; the object cannot be published after it. */
  readonly failure: unknown
  /** Begins to send a part, which must not change after. */
  send(part: Uint8Array): void
  /** Resolves when another part may be sent, whatever came of those before. */
  hasRoom(): Promise<void>
  /** Makes the object of the parts; they are dropped when that fails. */
  complete(): Promise<void>
  /** Drops the parts. What cannot be dropped now is left to the bucket's rule for uploads that were never completed. */
  drop(): Promise<void>
}

function createPartUpload(options: WriterOptions): PartUpload {
  const { bucket, settings, name, key, putId, startAttempts } = options
  const etags: string[] = []
  const underWay = new Set<Promise<void>>()
  let partCount = 0
  let started: Promise<string> | undefined
  let failure: unknown

  const start = async (): Promise<string> => valueOf(await repeat(startAttempts(), () => bucket.startUpload(key, putId)))
  const sendPart = async (partNumber: number, part: Uint8Array): Promise<void> => {
    if (partNumber > partsMax) throw new LsmtError('54000', `${name} is larger than ${partsMax} parts of ${settings.partBytes} bytes`, { file: name })
    const uploadId = await (started ??= start())
    if (failure !== undefined) return
    etags[partNumber - 1] = valueOf(await repeat(startAttempts(), () => bucket.uploadPart(key, uploadId, partNumber, part)))
  }
  const drop = async (): Promise<void> => {
    failure ??= new LsmtError('55000', `the upload of ${name} was dropped`, { file: name })
    await Promise.all(underWay)
    const uploadId = await started?.catch(() => undefined)
    if (uploadId !== undefined) await repeat(startAttempts(), () => bucket.abortUpload(key, uploadId))
  }
  return {
    get isStarted() { return partCount > 0 },
    get failure() { return failure },
    send(part) {
      const sent = sendPart(++partCount, part).catch((cause: unknown) => { failure ??= cause }).then(() => { underWay.delete(sent) })
      underWay.add(sent)
    },
    async hasRoom() {
      while (underWay.size >= settings.partsInFlightMax) await Promise.race(underWay)
    },
    async complete() {
      await Promise.all(underWay)
      try {
        if (failure !== undefined) throw failure
        await completeOnce({ bucket, name, key, putId, uploadId: await started!, etags, attempts: startAttempts() })
      } catch (cause) {
        await drop()
        throw cause
      }
    },
    drop,
  }
}

function valueOf<T>(answer: Answer<T>): T {
  if (answer.kind !== 'done') throw answer.error
  return answer.value
}
