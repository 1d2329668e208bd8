/** What users get wrong about a bucket: one line each, with what to do, before anything is served or written. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openDatabase } from '../../../src/engine/open-database.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { systemRandom } from '../../../src/runtime/random.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { describeS3 } from '../../storage/s3/s3-server.ts'
import { runHere, serveHere } from '../cli-in-process.ts'
import { runCli, withFolder } from '../cli-process.ts'
import { s3PlaceHere, withPlace } from './s3-environment.ts'
import type { S3Place } from './s3-environment.ts'

let place: S3Place

beforeEach(async () => {
  place = await s3PlaceHere()
})

afterEach(() => vi.unstubAllEnvs())

/** The exit code and the one line on stderr, of a server that gives a store up after a moment. */
async function refusal(args: readonly string[]): Promise<string> {
  const { code, out, err } = await runHere(args, '', {
    openEngine: (request) => openDatabase({ ...request, address: request.address.kind === 's3' ? { ...request.address, settings: { openDeadlineMs: 100 } } : request.address }, { clock: systemClock, random: systemRandom }),
  })
  expect([out, err.split('\n').length]).toEqual(['', 2])
  expect(err).not.toContain(place.environment['AWS_SECRET_ACCESS_KEY'])
  return `${code} ${err.trimEnd()}`
}

async function inBucket(use: (storage: Storage) => Promise<unknown>): Promise<void> {
  await withPlace(place, 'write', use)
}

const serve = (...more: readonly string[]): readonly string[] => ['serve', '--listen', '127.0.0.1:0', ...place.flags, ...more]
const withoutKeys = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined, AWS_SESSION_TOKEN: undefined, AWS_PROFILE: undefined, AWS_WEB_IDENTITY_TOKEN_FILE: undefined, AWS_EC2_METADATA_DISABLED: 'true', AWS_SHARED_CREDENTIALS_FILE: '/no/such/file', AWS_CONFIG_FILE: '/no/such/file' }

describeS3('refused', () => {
  test.each<readonly [string, Readonly<Record<string, string | undefined>>, readonly string[], string]>([
    ['an unknown access key', { AWS_ACCESS_KEY_ID: 'nobody' }, [], 'it does not know the access key (InvalidAccessKeyId) (check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)'],
    ['a wrong secret key', { AWS_SECRET_ACCESS_KEY: 'wrong' }, [], 'the secret key is wrong (SignatureDoesNotMatch) (check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)'],
    ['no credentials', withoutKeys, [], 'there are no credentials (CredentialsProviderError) (set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or any other source that the AWS tools know)'],
    ['a bucket that is not there', {}, ['--bucket', 'no-such-bucket'], 'there is no such bucket (create it, or check --bucket and --s3-endpoint)'],
    ['an endpoint where nobody listens', { LSMT_S3_ENDPOINT: 'http://127.0.0.1:9' }, [], 'http://127.0.0.1:9 cannot be reached: connect ECONNREFUSED 127.0.0.1:9 (check --s3-endpoint and the network)'],
  ])('%s', async (_, variables, flags, told) => {
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
    const expected = new RegExp(`^3 lsmt: cannot open the database in bucket \\S+ of \\S+: ${told.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`)
    expect(await refusal([...serve(), ...flags])).toMatch(expected)
  })

  test('a clock that is off by a day', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 86_400_000 })
    try {
      expect(await refusal(serve())).toMatch(/^3 lsmt: cannot open .*: the clock of this machine differs too much from the store's \(set the clock of this machine\)$/)
    } finally {
      vi.useRealTimers()
    }
  })

  test('a bucket of another region', async () => {
    const server = createServer((incoming, outgoing) => {
      incoming.resume()
      outgoing.writeHead(301, { 'x-amz-bucket-region': 'eu-west-1', 'content-type': 'application/xml' })
      outgoing.end('<Error><Code>PermanentRedirect</Code><Message>elsewhere</Message></Error>')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    vi.stubEnv('LSMT_S3_ENDPOINT', `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    expect(await refusal(serve())).toMatch(/: bucket \S+ is in region eu-west-1, not in \S+ \(set AWS_REGION=eu-west-1\)$/)
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  test('a place that holds something else: other objects, a newer format, a number of shards that was not asked for', async () => {
    await inBucket((storage) => storage.createIfAbsent('holiday/photo.jpg', [Buffer.from('…')]))
    expect(await refusal(serve())).toMatch(/^3 lsmt: there is no database in bucket .*, but something else, such as holiday\/photo\.jpg \(give a prefix where nothing is; .*\)$/)
    await inBucket(async (storage) => {
      await storage.delete('holiday/photo.jpg')
      expect(await storage.list('')).toEqual([])
    })
    await (await serveHere('unused', [...place.flags])).stop()
    expect(await refusal(serve('--shards', '3'))).toMatch(/^2 lsmt: the database in bucket .* has 2 shards, which cannot change; 3 were asked for$/)
    await inBucket(async (storage) => {
      const format = Buffer.from(await storage.read('format'))
      format.writeUInt16LE(7, 8)
      await storage.delete('format')
      await storage.createIfAbsent('format', [format])
    })
    expect(await refusal(serve())).toMatch(/^3 lsmt: this database has format version 7 .*; this version of lsmt reads 1/)
  })

  test('a database that is not there, and copies to and from what cannot be reached', async () => {
    await withFolder(async (folder) => {
      expect(await refusal(['sql', ...place.flags, '-e', 'SELECT 1'])).toBe(`3 lsmt: there is no database in ${place.url} (lsmt serve makes one)`)
      expect(await refusal(['verify', ...place.flags])).toContain('3 lsmt: there is no database in ')
      expect(await refusal(['inspect', `${place.url}/format`])).toMatch(/^3 lsmt: /)
      await (await serveHere(join(folder, 'data'))).stop()
      for (const args of [['restore', 's3://no-such-bucket/x', '--data-dir', join(folder, 'r')], ['backup', 's3://no-such-bucket/x', '--data-dir', join(folder, 'data')]]) {
        expect(await refusal(args)).toMatch(/^3 lsmt: cannot open .* no-such-bucket .*: there is no such bucket \(create it/)
      }
    })
  })

  test('one line, from a process of its own', async () => {
    const { code, out, err } = await runCli(serve(), '', { ...place.environment, AWS_SECRET_ACCESS_KEY: 'wrong' })
    expect([code, out]).toEqual([3, ''])
    expect(err).toMatch(/^lsmt: cannot open [^\n]*the secret key is wrong[^\n]*\n$/)
  })
})
