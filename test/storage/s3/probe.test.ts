/** What is found out about stores that promise much, and what becomes of it. */
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../src/runtime/random.ts'
import { startAttempts } from '../../../src/storage/s3/attempts.ts'
import { openS3Storage } from '../../../src/storage/s3/open-s3-storage.ts'
import { probeBucket } from '../../../src/storage/s3/probe.ts'
import type { Verdict } from '../../../src/storage/s3/probe.ts'
import type { S3Address } from '../../../src/storage/s3/s3-address.ts'
import { defaultS3Settings } from '../../../src/storage/s3/s3-settings.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { failureOf } from '../storage-conformance.ts'
import { createScriptedBucket, sleepingClock } from './scripted-bucket.ts'
import type { BucketScript, ScriptedBucket } from './scripted-bucket.ts'

const address: S3Address = { kind: 's3', bucket: 'shelf', prefix: 'db', endpoint: 'http://localhost:1' }

function open(bucket: ScriptedBucket, mayWrite = true): Promise<Storage> {
  return openS3Storage(address, mayWrite, bucket, { clock: sleepingClock(), random: seededRandom(1), settings: defaultS3Settings })
}

async function verdictOn(script: BucketScript): Promise<{ readonly broken: readonly string[]; readonly left: readonly string[] }> {
  const bucket = createScriptedBucket(script)
  const clock = sleepingClock()
  const verdict: Verdict = await probeBucket(bucket, 'db/tmp/probe/', () => startAttempts({ clock, random: seededRandom(1) }, defaultS3Settings, 30_000))
  return { broken: Object.entries(verdict).filter(([, holds]) => !holds).map(([name]) => name), left: [...bucket.objects.keys()] }
}

describe('the probe of a store', () => {
  it('finds nothing wrong with a good one, and leaves nothing there', async () => {
    expect(await verdictOn({})).toEqual({ broken: [], left: [] })
  })

  it.each<[string, BucketScript, readonly string[]]>([
    ['ignores conditions', { ignoresConditions: true }, ['createIfAbsent', 'oneWinner', 'replacesIfMatch', 'matchNeedsObject']],
    ['checks conditions too early', { racesConditions: true }, ['oneWinner']],
    ['creates on a match', { createsOnMatch: true }, ['matchNeedsObject']],
    ['keeps no metadata', { keepsMetadata: false }, ['keepsMetadata']],
    ['lists what was', { listsStale: true }, ['readsAfterWrite', 'listsInOrder']],
    ['ignores ranges', { ignoresRanges: true }, ['readsRanges']],
    ['knows no conditional puts', { fault: ({ kind }) => (kind === 'put' ? 'unsupported' : undefined) }, ['createIfAbsent', 'oneWinner', 'readsAfterWrite', 'listsInOrder', 'readsRanges', 'keepsMetadata', 'replacesIfMatch']],
  ])('finds out one that %s', async (_, script, broken) => {
    expect((await verdictOn(script)).broken).toEqual(broken)
  })

  it('is not misled by lost answers', async () => {
    const faults = ['lost-answer', 'lost-request', 'slow-down'] as const
    for (let seed = 1; seed <= 20; seed++) {
      const random = seededRandom(seed)
      const fault = () => (random.below(12) === 0 ? faults[random.below(faults.length)] : undefined)
      expect(await verdictOn({ fault }), `seed ${seed}`).toEqual({ broken: [], left: [] })
    }
  })
})

describe('opening a bucket', () => {
  it('probes once, and keeps the verdict where no list shows it', async () => {
    const bucket = createScriptedBucket()
    const storage = await open(bucket)
    expect([...bucket.objects.keys()]).toEqual(['db/store/v1-localhost-1.json'])
    expect(await storage.list('')).toEqual([])
    const before = bucket.requests.length
    await open(bucket)
    expect(bucket.requests.slice(before)).toEqual(['readWhole db/store/v1-localhost-1.json'])
  })

  it('refuses to write where creation if absent does not hold, and says why', async () => {
    const failure = await failureOf(open(createScriptedBucket({ ignoresConditions: true })))
    expect(failure.code).toBe('0A000')
    expect(failure.message).toBe('a scripted bucket cannot hold a database: it does not hold to creation if absent (If-None-Match: *); several creators of one object are all told that they created it')
    expect(failure.evidence.hint).toContain('conditional writes')
  })

  it('lets readers in without a probe', async () => {
    const bucket = createScriptedBucket({ ignoresConditions: true })
    await open(bucket, false)
    expect(bucket.requests).toEqual(['readWhole db/store/v1-localhost-1.json'])
  })

  it('does not go by a verdict that it cannot read', async () => {
    const bucket = createScriptedBucket()
    bucket.objects.set('db/store/v1-localhost-1.json', { bytes: Buffer.from('{}'), putId: 'x' })
    expect((await failureOf(open(bucket))).code).toBe('XX002')
  })

  it('tells what the store says to the first request, at once if that will not change', async () => {
    for (const fault of ['denied', 'skewed', 'unreachable'] as const) {
      const bucket = createScriptedBucket({ fault: () => fault })
      expect((await failureOf(open(bucket))).message).toContain({ denied: 'access denied', skewed: 'the clock is wrong', unreachable: 'cannot be reached' }[fault])
      if (fault !== 'unreachable') expect(bucket.requests).toHaveLength(1)
    }
  })

  it('refuses addresses that cannot be one', async () => {
    for (const wrong of [{ bucket: 'No' }, { bucket: 'a' }, { prefix: '/x' }, { prefix: 'a//b' }, { prefix: 'ä' }, { endpoint: 'localhost:1' }, { endpoint: 'ftp://x' }]) {
      const opened = openS3Storage({ ...address, ...wrong }, true, createScriptedBucket(), { clock: sleepingClock(), random: seededRandom(1), settings: defaultS3Settings })
      expect((await failureOf(opened)).code, JSON.stringify(wrong)).toBe('22023')
    }
  })
})
