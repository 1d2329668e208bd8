/**
 * What a store's requests mean, found out by trying them: "compatible with S3" says little about conditions. Writers
 * depend on creation if absent, on one winner among many, and on seeing at once what was written; the rest is told so that
 * a report says what kind of store it came from. Works below a scratch key and leaves nothing there.
 */
import { repeat } from './attempts.ts'
import type { Attempts } from './attempts.ts'
import type { Answer, Bucket, PutCondition, Refusal } from './bucket/bucket.ts'

type CheckName = 'createIfAbsent' | 'oneWinner' | 'readsAfterWrite' | 'listsInOrder' | 'readsRanges' | 'keepsMetadata' | 'replacesIfMatch' | 'matchNeedsObject'

/** Whether each promise held. */
export type Verdict = Readonly<Record<CheckName, boolean>>

/** Without these nobody may write. */
export const neededToWrite: readonly CheckName[] = ['createIfAbsent', 'oneWinner', 'readsAfterWrite', 'readsRanges']

/** A refusal decides nothing: the check is made again, with another key, unless the refusal is final. */
type Check = (bucket: Bucket, key: string) => Promise<boolean | Refusal>

const racers = 8
const absent: PutCondition = { kind: 'absent' }
const wrongEtag: PutCondition = { kind: 'etag', etag: '00000000000000000000000000000000' }

const checks: Readonly<Record<CheckName, Check>> = {
  /** A second creation is refused, and the first stands. */
  createIfAbsent: async (bucket, key) => {
    const first = await put(bucket, key, 'first', absent)
    if (first !== 'done') return notRefused(first)
    const second = await put(bucket, key, 'second', absent)
    return second === 'refused' ? holds(bucket, key, 'first') : notRefused(second)
  },
  /** Of several at once exactly one is told that it created the object, and its bytes stand. */
  oneWinner: async (bucket, key) => {
    const texts = Array.from({ length: racers }, (_, i) => `racer ${i}`)
    const outcomes = await Promise.all(texts.map((text) => put(bucket, key, text, absent)))
    for (const outcome of outcomes) if (typeof outcome === 'object') return outcome
    const winners = texts.filter((_, i) => outcomes[i] === 'done')
    return winners.length === 1 && holds(bucket, key, winners[0]!)
  },
  /** What was created is there at once, by name and in lists. */
  readsAfterWrite: async (bucket, key) => {
    const created = await put(bucket, key, 'here', absent)
    if (created !== 'done') return notRefused(created)
    const listed = await keysBelow(bucket, key)
    return isRefusal(listed) ? listed : listed.includes(key) && holds(bucket, key, 'here')
  },
  listsInOrder: async (bucket, key) => {
    const keys = ['-1', '.x', '/1/z', '/10', '/2', 'b/1'].map((end) => key + end)
    for (const each of keys.toReversed()) {
      const created = await put(bucket, each, each, absent)
      if (created !== 'done') return notRefused(created)
    }
    const listed = await keysBelow(bucket, key)
    return isRefusal(listed) ? listed : listed.join() === keys.join()
  },
  readsRanges: async (bucket, key) => {
    const created = await put(bucket, key, '0123456789', absent)
    if (created !== 'done') return notRefused(created)
    const into = new Uint8Array(4)
    const got = await bucket.read(key, into, 3)
    return got.kind === 'done' ? Buffer.from(into).toString() === '3456' : got
  },
  /** Told in the metadata, whose object it is; else bytes are compared. */
  keepsMetadata: async (bucket, key) => {
    const created = await put(bucket, key, 'named', absent)
    if (created !== 'done') return notRefused(created)
    const head = await bucket.head(key)
    return head.kind === 'done' ? head.value.putId === putIdOf('named') : head
  },
  /** An object is not replaced where its etag is another one. */
  replacesIfMatch: async (bucket, key) => {
    const created = await put(bucket, key, 'first', absent)
    if (created !== 'done') return notRefused(created)
    const replaced = await put(bucket, key, 'second', wrongEtag)
    return replaced === 'refused' ? holds(bucket, key, 'first') : notRefused(replaced)
  },
  /** An etag that must match does not create what is absent. */
  matchNeedsObject: async (bucket, key) => {
    const created = await put(bucket, key, 'ghost', wrongEtag)
    if (created !== 'refused') return notRefused(created)
    const read = await bucket.readWhole(key)
    return read.kind === 'missing' || (read.kind === 'done' ? false : read)
  },
}

/** Tries everything. Throws what the store said where it could not be tried, such as access that was denied. `scratchKey` is nobody else's, and ends with '/'. */
export async function probeBucket(bucket: Bucket, scratchKey: string, startAttempts: () => Attempts): Promise<Verdict> {
  try {
    const verdict: Partial<Record<CheckName, boolean>> = {}
    for (const name of Object.keys(checks) as CheckName[]) verdict[name] = await settled(checks[name], bucket, `${scratchKey}${name.toLowerCase()}`, startAttempts())
    return verdict as Verdict
  } finally {
    await deleteBelow(bucket, scratchKey, startAttempts)
  }
}

async function settled(check: Check, bucket: Bucket, key: string, attempts: Attempts): Promise<boolean> {
  for (let round = 1; ; round++) {
    const outcome = await check(bucket, `${key}-${round}`)
    if (typeof outcome === 'boolean') return outcome
    if (outcome.kind === 'missing' || outcome.kind === 'past-end') return false
    const isOver = outcome.kind === 'final' || outcome.kind === 'unsupported' || !(await attempts.again(outcome.isThrottled))
    if (isOver) throw outcome.error
  }
}

/** Whether the put took effect; a refusal that is no answer to the condition stays one. */
async function put(bucket: Bucket, key: string, text: string, condition: PutCondition): Promise<'done' | 'refused' | Refusal> {
  const answer = await bucket.put(key, Buffer.from(text), putIdOf(text), condition)
  switch (answer.kind) {
    case 'done':
      return 'done'
    case 'exists':
    case 'conflict':
    case 'missing':
    case 'unsupported':
      return 'refused'
    case 'past-end':
    case 'again':
    case 'skewed':
    case 'final':
      return answer
  }
}

const putIdOf = (text: string): string => `probe-${text.replaceAll(/[^a-z0-9]/g, '-')}`

/** The check has failed, if anything was decided at all. */
const notRefused = (outcome: 'done' | 'refused' | Refusal): false | Refusal => (typeof outcome === 'object' ? outcome : false)

const isRefusal = (value: object): value is Refusal => 'error' in value

async function holds(bucket: Bucket, key: string, text: string): Promise<boolean | Refusal> {
  const read = await bucket.readWhole(key)
  return read.kind === 'done' ? Buffer.from(read.value).toString() === text : read
}

async function keysBelow(bucket: Bucket, prefix: string): Promise<readonly string[] | Refusal> {
  const answer: Answer<{ readonly objects: readonly { readonly key: string }[] }> = await bucket.list(prefix, undefined)
  return answer.kind === 'done' ? answer.value.objects.map(({ key }) => key) : answer
}

async function deleteBelow(bucket: Bucket, prefix: string, startAttempts: () => Attempts): Promise<void> {
  const page = await repeat(startAttempts(), () => bucket.list(prefix, undefined))
  if (page.kind !== 'done') throw page.error
  for (const { key } of page.value.objects) {
    const deleted = await repeat(startAttempts(), () => bucket.delete(key))
    if (deleted.kind !== 'done') throw deleted.error
  }
}
