/** The end of an upload in parts, with the same care as a conditional put: whose object stands there is told by its put id. */
import { LsmtError } from '../../errors.ts'
import { existingObject } from '../storage-errors.ts'
import { repeat } from './attempts.ts'
import type { Attempts } from './attempts.ts'
import type { Bucket } from './bucket/bucket.ts'
import { unknownOutcome } from './create-once.ts'

export interface CompleteRequest {
  readonly bucket: Bucket
  readonly name: string
  readonly key: string
  readonly putId: string
  readonly uploadId: string
  readonly etags: readonly string[]
  readonly attempts: Attempts
}

/** Resolves once the object is there and ours; 58030 when another one is, 40003 when that cannot be told. */
export async function completeOnce(request: CompleteRequest): Promise<void> {
  const { bucket, name, key, uploadId, etags, attempts } = request
  if ((await whose(request)) !== 'nobody') throw existingObject(name)
  let isConditional = true
  let mayHaveLanded = false
  for (;;) {
    const answer = await bucket.completeUpload(key, uploadId, etags, isConditional)
    switch (answer.kind) {
      case 'done':
        return
      case 'unsupported':
        if (!isConditional) throw answer.error
        isConditional = false
        break
      case 'exists':
      case 'missing':
        // The upload is gone when an earlier attempt has completed it.
        return settle(request, answer.error)
      case 'again':
      case 'skewed':
        mayHaveLanded ||= answer.mayHaveLanded
        if (!(await attempts.again(answer.isThrottled))) throw mayHaveLanded ? unknownOutcome(name, answer.error) : answer.error
        break
      case 'conflict':
        // The parts are lost with it: an upload starts anew, and so must whoever wrote them.
      case 'past-end':
      case 'final':
        throw mayHaveLanded ? unknownOutcome(name, answer.error) : answer.error
    }
  }
}

async function settle(request: CompleteRequest, refused: LsmtError): Promise<void> {
  const owner = await whose(request)
  if (owner === 'us') return
  throw owner === 'nobody' ? refused : existingObject(request.name)
}

async function whose({ bucket, name, key, putId, attempts }: CompleteRequest): Promise<'us' | 'nobody' | 'others'> {
  const head = await repeat(attempts, () => bucket.head(key))
  if (head.kind === 'missing') return 'nobody'
  if (head.kind !== 'done') throw unknownOutcome(name, head.error)
  // Parts cannot be compared, so where the store keeps no metadata nobody can tell.
  if (head.value.putId === undefined) throw unknownOutcome(name, new LsmtError('58030', `${name} exists, and the store does not say who created it`, { file: name }))
  return head.value.putId === putId ? 'us' : 'others'
}
