/** A real member that asks for certificates and for users. */
import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createEtcdClient } from '../../../src/cluster/etcd/etcd-client.ts'
import type { EtcdClient } from '../../../src/cluster/etcd/etcd-client.ts'
import type { EtcdAddress, EtcdTls } from '../../../src/cluster/etcd/etcd-settings.ts'
import { createHttpTransport } from '../../../src/cluster/etcd/transport/http-transport.ts'
import type { LsmtError } from '../../../src/errors.ts'
import { makeCertificates } from './server/certificates.ts'
import type { Certificates } from './server/certificates.ts'
import { describeEtcd, patientEtcd, startEtcd } from './server/etcd-server.ts'
import type { OwnEtcd } from './server/etcd-server.ts'
import { until } from '../../until.ts'
import { changesOf, told } from './watched.ts'

const tokenSeconds = 1

describeEtcd('etcd with certificates and users', () => {
  let certificates: Certificates
  let etcd: OwnEtcd
  const clients: EtcdClient[] = []
  const clientOf = (address: Partial<EtcdAddress>): EtcdClient => {
    const client = createEtcdClient({ endpoints: etcd.endpoints, tls: certificates.client, settings: patientEtcd, ...address })
    clients.push(client)
    return client
  }

  beforeAll(async () => {
    certificates = makeCertificates()
    etcd = await startEtcd({ memberCount: 1, tls: certificates.client, memberArguments: [...certificates.memberArguments, '--auth-token-ttl', String(tokenSeconds)] })
    const transport = createHttpTransport({ tls: certificates.client, messageBytesMax: 100_000 })
    const admin = async (path: string, body: object): Promise<void> => {
      const reply = await transport.post({ endpoint: etcd.endpoints[0]!, path, headers: {}, body: JSON.stringify(body), signal: AbortSignal.timeout(5_000) })
      expect(reply, path).toMatchObject({ kind: 'answered', status: 200 })
    }
    const base64 = (text: string): string => Buffer.from(text).toString('base64')
    await admin('auth/user/add', { name: 'root', password: 'of all' })
    await admin('auth/role/add', { name: 'root' })
    await admin('auth/user/grant', { user: 'root', role: 'root' })
    await admin('auth/user/add', { name: 'lsmt', password: 'secret' })
    await admin('auth/role/add', { name: 'lsmt' })
    await admin('auth/role/grant', { name: 'lsmt', perm: { permType: 'READWRITE', key: base64('lsmt/'), range_end: base64('lsmt0') } })
    await admin('auth/user/grant', { user: 'lsmt', role: 'lsmt' })
    await admin('auth/enable', {})
    transport.close()
  })
  afterAll(async () => {
    for (const client of clients) client.close()
    await etcd.stop()
    rmSync(certificates.folder, { recursive: true, force: true })
  })

  const user = { name: 'lsmt', password: 'secret' }

  it.concurrent('lets in who has both, as far as he may go', async () => {
    const client = clientOf({ user })
    const revision = await client.put('lsmt/a/k', 'v')
    expect((await client.list('lsmt/a/')).keyValues.map(({ value }) => value)).toEqual(['v'])
    expect(told(await changesOf(client.watch({ scope: { prefix: 'lsmt/a/' }, fromRevision: revision }), 1), 'lsmt/a/')).toEqual(['put k=v'])
    await expect(client.put('other', 'v')).rejects.toMatchObject({ code: '42501' })
    await expect(changesOf(client.watch({ scope: { prefix: 'other' }, fromRevision: 1n }), 1)).rejects.toMatchObject({ code: '42501' })
    const lease = await client.keepLease({ ttlSeconds: 2, key: 'lsmt/live', onChange: () => {} })
    const firstMs = lease.trustedUntilMs()
    await until(() => lease.trustedUntilMs() > firstMs)
    await lease.revoke()
  })

  it.concurrent('gets another token when its own has run out', async () => {
    const client = clientOf({ user })
    await client.put('lsmt/t', '1')
    await sleep(tokenSeconds * 1000 + 1_300)
    await client.put('lsmt/t', '2')
    expect((await client.get('lsmt/t')).found?.value).toBe('2')
  })

  it.concurrent('tells what is wrong with who may not come', async () => {
    await expect(clientOf({ user: { ...user, password: 'wrong' } }).get('lsmt/k')).rejects.toMatchObject({ code: '28000' })
    // Members' gateways show the member's own certificate, which is no user's.
    await expect(clientOf({}).get('lsmt/k')).rejects.toMatchObject({ code: '42501' })
    const { ca, certificate, key } = certificates.client
    const messageWith = async (tls: EtcdTls): Promise<string> => clientOf({ user, tls, settings: { deadlineMs: 2_000 } }).get('lsmt/k').then(() => 'let in', (error: LsmtError) => `${error.code} ${error.message}`)
    expect(await Promise.all([{ ca }, { certificate, key }, { ca, certificate, key, serverName: 'etcd.example' }].map(messageWith))).toEqual([
      expect.stringMatching(/^08006 .*alert bad certificate/),
      expect.stringMatching(/^08006 .*unable to verify the first certificate/),
      expect.stringMatching(/^08006 .*does not match certificate's altnames/),
    ])
  })
})
