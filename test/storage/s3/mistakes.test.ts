/** What users get wrong is told in one line that says how to mend it. */
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { openStorage } from '../../../src/storage/open-storage.ts'
import type { S3Address } from '../../../src/storage/s3/s3-address.ts'
import { failureOf } from '../storage-conformance.ts'
import { startFaultProxy } from './fault-proxy.ts'
import { describeS3, freshAddress, testServer } from './s3-server.ts'

const settings = { openDeadlineMs: 300, deadlineMs: 300, backoffFirstMs: 5 }

type Mistake = Partial<Omit<S3Address, 'credentials'>> & { readonly credentials?: Partial<NonNullable<S3Address['credentials']>> }

/** Message and hint, which must each be one line. */
async function toldBy(address: S3Address): Promise<string> {
  const { code, message, evidence } = await failureOf(openStorage({ ...address, settings: { ...settings, ...address.settings } }))
  expect(code).toBe('58030')
  expect(message).not.toContain('\n')
  return `${message}; ${evidence.hint}`
}

describeS3('a mistake in the address of a real server', () => {
  const mistakes: readonly [string, Mistake, string][] = [
    ['an unknown access key', { credentials: { accessKeyId: 'nobody' } }, 'it does not know the access key (InvalidAccessKeyId); check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY'],
    ['a wrong secret key', { credentials: { secretAccessKey: 'wrong' } }, 'the secret key is wrong (SignatureDoesNotMatch); check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY'],
    ['a bucket that is not there', { bucket: 'no-such-bucket' }, 'there is no such bucket; create it, or check --bucket and --s3-endpoint'],
    ['a port where nobody listens', { endpoint: 'http://127.0.0.1:9' }, 'http://127.0.0.1:9 cannot be reached: connect ECONNREFUSED 127.0.0.1:9; check --s3-endpoint and the network'],
    ['a host that is not there', { endpoint: 'http://nowhere.invalid' }, 'http://nowhere.invalid cannot be reached: '],
  ]
  it.each(mistakes)('%s', async (_, mistake, told) => {
    const real = await freshAddress()
    const credentials = { ...real.credentials!, ...mistake.credentials }
    const address = { ...real, ...mistake, credentials }
    expect(await toldBy(address)).toContain(`cannot open the database in bucket ${address.bucket} of ${address.endpoint}: ${told}`)
  })

  it('https where http is spoken', async () => {
    const address = await freshAddress()
    expect(await toldBy({ ...address, endpoint: address.endpoint!.replace('http:', 'https:') })).toMatch(/no secure connection: .*; check http or https in --s3-endpoint/)
  })

  it('no credentials at all', async () => {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_PROFILE', 'AWS_WEB_IDENTITY_TOKEN_FILE']) vi.stubEnv(name, undefined)
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
    for (const name of ['AWS_SHARED_CREDENTIALS_FILE', 'AWS_CONFIG_FILE']) vi.stubEnv(name, '/no/such/file')
    try {
      const { credentials: _, ...address } = await freshAddress()
      expect(await toldBy(address)).toContain('there are no credentials (CredentialsProviderError); set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY')
    } finally {
      vi.unstubAllEnvs()
    }
  })

  it('a clock that is off by a day', async () => {
    const address = await freshAddress()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 86_400_000 })
    try {
      expect(await toldBy(address)).toContain("the clock of this machine differs too much from the store's; set the clock of this machine")
    } finally {
      vi.useRealTimers()
    }
  })

  it('a server that is gone makes nothing absent', async () => {
    const proxy = await startFaultProxy((await testServer()).endpoint)
    const storage = await openStorage({ ...(await freshAddress()), endpoint: proxy.endpoint, settings })
    await storage.createIfAbsent('a', [new Uint8Array(3)])
    await proxy.close()
    for (const action of [() => storage.read('a'), () => storage.open('a'), () => storage.list('')]) expect((await failureOf(action)).code).toBe('58030')
    await storage.close()
  })
})

describe('an answer of a store', () => {
  let server: Server | undefined
  afterEach(async () => {
    server?.closeAllConnections()
    await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)))
  })

  /** A store that gives one answer to everything. */
  async function storeThatAnswers(status: number, body: string, headers: Record<string, string> = {}): Promise<S3Address> {
    server = createServer((incoming, outgoing) => {
      incoming.resume()
      outgoing.writeHead(status, { 'content-type': 'application/xml', ...headers })
      outgoing.end(body)
    })
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve))
    return { kind: 's3', bucket: 'shelf', region: 'us-east-1', endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, credentials: { accessKeyId: 'a', secretAccessKey: 'b' } }
  }
  const error = (code: string, more = '', message = 'the store\'s words'): string => `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message>${more}</Error>`

  it.each<[string, number, string, Record<string, string>, string]>([
    ['from another region, signed', 400, error('AuthorizationHeaderMalformed', '<Region>eu-west-1</Region>', 'The authorization header is malformed; the region \'us-east-1\' is wrong; expecting \'eu-west-1\''), {}, 'bucket shelf is in region eu-west-1, not in us-east-1; set AWS_REGION=eu-west-1'],
    ['from another region, redirected', 301, error('PermanentRedirect'), { 'x-amz-bucket-region': 'eu-west-1' }, 'bucket shelf is in region eu-west-1, not in us-east-1; set AWS_REGION=eu-west-1'],
    ['from a region that it does not name', 301, error('PermanentRedirect'), {}, 'the bucket is not in region us-east-1; set AWS_REGION to its region'],
    ['that denies', 403, error('AccessDenied'), {}, 'access denied: the store\'s words (AccessDenied); the credentials need s3:ListBucket'],
    ['to an old token', 400, error('ExpiredToken'), {}, 'the session token has expired (ExpiredToken); renew the temporary credentials'],
    ['that is no S3 answer', 404, '<html>not\nhere</html>', { 'content-type': 'text/html' }, 'it answered 404: UnknownError (NotFound); is this the address of an S3 endpoint?'],
    ['that is down', 503, error('SlowDown', '', 'Please reduce\nyour request rate.'), {}, 'Please reduce your request rate. (SlowDown)'],
  ])('%s', async (_, status, body, headers, told) => {
    expect(await toldBy(await storeThatAnswers(status, body, headers))).toContain(told)
  })

  it('that never comes', async () => {
    const address = await storeThatAnswers(200, '')
    server!.removeAllListeners('request')
    expect(await toldBy({ ...address, settings: { requestTimeoutMs: 50 } })).toContain('no answer within 50 ms')
  })

  it('with a whole object for a range is refused, and does not end up in memory', async () => {
    const verdict = '{"createIfAbsent":true,"oneWinner":true,"readsAfterWrite":true,"readsRanges":true}'
    const address = await storeThatAnswers(200, verdict, { 'content-type': 'text/plain', 'content-length': String(verdict.length) })
    const storage = await openStorage(address, 'read')
    const into = new Uint8Array(3)
    expect((await failureOf((await storage.open('a', 10)).read(into, 2))).message).toContain('with the whole object for the range of 3 bytes at 2')
    expect([...into]).toEqual([0, 0, 0])
    await storage.close()
  })
})
