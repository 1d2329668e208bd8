/**
 * A real S3 server for tests, shared by all files of one run: whoever needs it first starts it, the run's end stops it
 * (s3-server-lifetime.ts). `LSMT_TEST_S3_ENDPOINT` names a server of your own instead, with its credentials and region in
 * the variables of the AWS tools; `LSMT_TEST_S3=off` skips what needs one.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { describe } from 'vitest'
import type { S3Address } from '../../../src/storage/s3/s3-address.ts'
import { freePorts, missingPrograms, sharedServer } from '../../shared-server/shared-server.ts'
import { stateVariable } from './s3-server-state.ts'

export interface TestServer {
  readonly endpoint: string
  readonly region: string
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string }
  /** A bucket that is there. */
  readonly bucket: string
}

const credentials = { accessKeyId: 'testkey', secretAccessKey: 'testsecret' }
const region = 'us-east-1'
const bucket = 'lsmt-test'
const startTimeoutMs = 100_000
const programs = ['ceph-mon', 'ceph-osd', 'radosgw', 'ceph', 'ceph-authtool', 'monmaptool', 'radosgw-admin']
const withoutServer = 'set LSMT_TEST_S3_ENDPOINT to the URL of a server of your own (its keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), or LSMT_TEST_S3=off to leave these tests out'

/** `describe` for what needs the server. */
export function describeS3(name: string, tests: () => void): void {
  const isOff = process.env['LSMT_TEST_S3'] === 'off'
  if (isOff) console.warn(`skipped, since LSMT_TEST_S3=off: ${name}`)
  describe.skipIf(isOff)(name, tests)
}

/** The server; its bucket may hold what other tests made. */
export const testServer = (): Promise<TestServer> => sharedServer(stateVariable, startServer)

/** The server as the AWS tools take it from the environment, for processes that tests start; without its address and bucket, for which each program has names of its own. */
export function awsVariables({ region, credentials: { accessKeyId, secretAccessKey, sessionToken } }: TestServer): Readonly<Record<string, string>> {
  return { AWS_REGION: region, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, ...(sessionToken !== undefined && { AWS_SESSION_TOKEN: sessionToken }) }
}

let addressCount = 0

/** A place in the server's bucket that nobody else uses. */
export async function freshAddress(): Promise<S3Address> {
  const { endpoint, region, credentials, bucket } = await testServer()
  return { kind: 's3', endpoint, region, credentials, bucket, prefix: `t${process.pid}-${Date.now().toString(36)}-${addressCount++}` }
}

async function startServer(state: string): Promise<TestServer> {
  const given = process.env['LSMT_TEST_S3_ENDPOINT']
  const server = given === undefined ? await startCeph(state) : ownServer(given)
  const client = new S3Client({ endpoint: server.endpoint, region: server.region, credentials: { ...server.credentials }, forcePathStyle: true, requestChecksumCalculation: 'WHEN_REQUIRED' })
  await client.send(new CreateBucketCommand({ Bucket: server.bucket })).catch((cause: unknown) => {
    if (!['BucketAlreadyOwnedByYou', 'BucketAlreadyExists'].includes((cause as Error).name)) throw cause
  })
  client.destroy()
  return server
}

function ownServer(endpoint: string): TestServer {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken, AWS_REGION } = process.env
  if (accessKeyId === undefined || secretAccessKey === undefined) throw new Error('LSMT_TEST_S3_ENDPOINT is set, and AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is not')
  return { endpoint, region: AWS_REGION ?? region, credentials: { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) }, bucket: process.env['LSMT_TEST_S3_BUCKET'] ?? bucket }
}

async function startCeph(state: string): Promise<TestServer> {
  const missing = missingPrograms(programs)
  if (missing.length > 0) throw new Error(`the tests over S3 need Ceph's gateway, and ${missing.join(', ')} is not installed: apt-get install --no-install-recommends ceph-mon ceph-osd radosgw ceph-common; or ${withoutServer}`)
  const folder = join(state, 'ceph')
  mkdirSync(folder)
  const [s3Port, monitorPort] = await freePorts(2)
  const log = openSync(join(state, 'ceph.log'), 'w')
  // Not a child to wait for: it serves other files of the run after this one, and ends with the run.
  const script = fileURLToPath(new URL('ceph.sh', import.meta.url))
  const ceph = spawn('bash', [script, folder, String(s3Port), String(monitorPort), readFileSync(join(state, 'runner'), 'utf8'), credentials.accessKeyId, credentials.secretAccessKey], { detached: true, stdio: ['ignore', log, log] })
  writeFileSync(join(state, 'pid'), String(ceph.pid))
  let exit: string | undefined
  ceph.on('exit', (code, signal) => { exit = String(code ?? signal) })
  const said = (): string => readFileSync(join(state, 'ceph.log'), 'utf8')
  for (const endMs = Date.now() + startTimeoutMs; !said().includes('ready'); await sleep(50)) {
    if (exit !== undefined || Date.now() > endMs) throw new Error(`Ceph did not start (${exit ?? 'in time'}); ${withoutServer}. It said:\n${said()}`)
  }
  ceph.unref()
  return { endpoint: `http://127.0.0.1:${s3Port}`, region, credentials, bucket }
}
