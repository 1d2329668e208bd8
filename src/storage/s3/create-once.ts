/**
 * One conditional put, done right. "It exists" may speak of our own earlier attempt whose answer was lost, so the put id
 * in the object's metadata tells whose it is; a store that keeps no metadata is asked for the bytes, which no two writers
 * have alike. Whatever cannot be told is an unknown outcome, never a guess: an attempt without an answer may still land.
 */
import { createHash } from 'node:crypto'
import { LsmtError } from '../../errors.ts'
import type { Random } from '../../runtime/random.ts'
import { repeat } from './attempts.ts'
import type { Attempts } from './attempts.ts'
import type { Bucket, Refusal } from './bucket/bucket.ts'

export interface CreateRequest {
  readonly bucket: Bucket
  readonly key: string
  /** The same at every attempt. */
  readonly body: Uint8Array
  /** Of this caller and these bytes alone. */
  readonly putId: string
  readonly attempts: Attempts
  /** An earlier call for these bytes and this put id ended without an outcome. */
  readonly isUndecided: boolean
}

/** gone: it existed, and was deleted before we could see whose it was. */
export type CreateOutcome = 'won' | 'lost' | 'gone'

/** 40003 when the deadline passes, or the store refuses, and an attempt may have landed; the store's own error when none can have. */
export async function createOnce(request: CreateRequest): Promise<CreateOutcome> {
  const { bucket, key, body, putId, attempts } = request
  let mayHaveLanded = request.isUndecided
  const giveUp = (refusal: Refusal): LsmtError => (mayHaveLanded ? unknownOutcome(key, refusal.error) : refusal.error)
  for (;;) {
    const answer = await bucket.put(key, body, putId, { kind: 'absent' })
    switch (answer.kind) {
      case 'done':
        return 'won'
      case 'exists':
        return whoseIsIt(request)
      case 'conflict':
      case 'again':
      case 'skewed':
        mayHaveLanded ||= answer.mayHaveLanded
        if (!(await attempts.again(answer.isThrottled))) throw giveUp(answer)
        break
      case 'missing':
      case 'unsupported':
      case 'past-end':
      case 'final':
        throw giveUp(answer)
    }
  }
}

export function unknownOutcome(key: string, cause: LsmtError): LsmtError {
  return new LsmtError('40003', `it is not known whether ${key} was created: ${cause.message}`, { ...cause.evidence, file: key }, cause)
}

async function whoseIsIt({ bucket, key, body, putId, attempts }: CreateRequest): Promise<CreateOutcome> {
  const head = await repeat(attempts, () => bucket.head(key))
  if (head.kind === 'missing') return 'gone'
  if (head.kind !== 'done') throw unknownOutcome(key, head.error)
  if (head.value.putId !== undefined) return head.value.putId === putId ? 'won' : 'lost'
  if (head.value.byteLength !== body.length) return 'lost'
  const stored = await repeat(attempts, () => bucket.readWhole(key))
  if (stored.kind === 'missing') return 'gone'
  if (stored.kind !== 'done') throw unknownOutcome(key, stored.error)
  return Buffer.compare(stored.value, body) === 0 ? 'won' : 'lost'
}

export interface Creations {
  create(key: string, body: Uint8Array): Promise<'created' | 'exists'>
}

interface CreationOptions {
  readonly bucket: Bucket
  readonly attempts: () => Attempts
  readonly random: Random
}

/**
 * Creations by their names. One without an outcome is remembered, so that the same bytes, offered once more, are known
 * to be the same attempt, and others are refused: the delayed first attempt could land after them.
 */
export function createCreations({ bucket, attempts, random }: CreationOptions): Creations {
  const undecided = new Map<string, { readonly putId: string; readonly digest: string }>()
  return {
    async create(key, body) {
      const earlier = undecided.get(key)
      const digest = earlier === undefined ? '' : digestOf(body)
      if (earlier !== undefined && earlier.digest !== digest) throw new LsmtError('40003', `it is not known yet whether ${key} was created with other bytes`, { file: key, hint: 'offer the same bytes again, or take another name' })
      const putId = earlier?.putId ?? newPutId(random)
      try {
        const outcome = await createOnce({ bucket, key, body, putId, attempts: attempts(), isUndecided: earlier !== undefined })
        undecided.delete(key)
        return outcome === 'won' ? 'created' : 'exists'
      } catch (error) {
        if (error instanceof LsmtError && error.code === '40003') undecided.set(key, { putId, digest: digestOf(body) })
        throw error
      }
    },
  }
}

const digestOf = (body: Uint8Array): string => createHash('sha256').update(body).digest('base64')

export function newPutId(random: Random): string {
  return [0, 1, 2, 3].map(() => random.nextU32().toString(16).padStart(8, '0')).join('')
}
