/** Certificates for tests: a CA, one that members show (also as clients, which their gateways are) and one of a client. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EtcdTls } from '../../../../src/cluster/etcd/etcd-settings.ts'
import { missingPrograms } from '../../../shared-server/shared-server.ts'

export interface Certificates {
  readonly folder: string
  readonly client: Required<Omit<EtcdTls, 'serverName'>>
  readonly memberArguments: readonly string[]
}

export function makeCertificates(): Certificates {
  if (missingPrograms(['openssl']).length > 0) throw new Error('the tests of etcd over TLS need openssl, and it is not installed: apt-get install --no-install-recommends openssl; or set LSMT_TEST_ETCD=off')
  const folder = mkdtempSync(join(tmpdir(), 'lsmt-test-certificates-'))
  const file = (name: string): string => join(folder, name)
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'pipe' })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl('req', '-x509', ...newKey, '-keyout', file('ca.key'), '-out', file('ca.pem'), '-days', '2', '-subj', '/CN=lsmt test CA')
  for (const [name, extensions] of [['member', 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth'], ['client', 'extendedKeyUsage=clientAuth']] as const) {
    writeFileSync(file(`${name}.ext`), extensions)
    openssl('req', ...newKey, '-keyout', file(`${name}.key`), '-out', file(`${name}.csr`), '-subj', `/O=lsmt test/OU=${name}`)
    openssl('x509', '-req', '-in', file(`${name}.csr`), '-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-CAcreateserial', '-days', '2', '-extfile', file(`${name}.ext`), '-out', file(`${name}.pem`))
  }
  const read = (name: string): string => readFileSync(file(name), 'utf8')
  return {
    folder,
    client: { ca: read('ca.pem'), certificate: read('client.pem'), key: read('client.key') },
    memberArguments: ['--cert-file', file('member.pem'), '--key-file', file('member.key'), '--client-cert-auth', '--trusted-ca-file', file('ca.pem')],
  }
}
