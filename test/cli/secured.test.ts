/** A server with tokens and TLS as its users start it, and what it does when its files change. */
import { copyFile, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { expect, test } from 'vitest'
import { startCli, withFolder } from './cli-process.ts'
import { until } from '../until.ts'
import type { CliProcess } from './cli-process.ts'

const certificates = join(import.meta.dirname, '../http/certificates')

interface Secured {
  readonly url: string
  readonly cli: CliProcess
  /** The status of a query with this token. */
  status(token: string): Promise<number | undefined>
}

async function withSecured(environment: Readonly<Record<string, string>>, run: (server: Secured, folder: string) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const [cert, key, tokens] = ['cert.pem', 'key.pem', 'tokens'].map((name) => join(folder, name)) as [string, string, string]
    await useCertificate(folder, 'first')
    await writeFile(tokens, 'read:r1\nwrite:w1\n')
    const cli = startCli(['--listen', '0.0.0.0:0', '--data-dir', join(folder, 'data'), '--shards', '1', '--auth-token-file', tokens, '--tls-cert', cert, '--tls-key', key], environment)
    try {
      const url = (await cli.listening).replace('0.0.0.0', '127.0.0.1')
      await run({ url, cli, status: (token) => postStatus(url, token) }, folder)
    } finally {
      cli.child.kill('SIGTERM')
      expect(await cli.exited).toBe(0)
    }
  })
}

async function useCertificate(folder: string, name: string): Promise<void> {
  await copyFile(join(certificates, `${name}-cert.pem`), join(folder, 'cert.pem'))
  await copyFile(join(certificates, `${name}-key.pem`), join(folder, 'key.pem'))
}

function postStatus(url: string, token: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/query`, { method: 'POST', rejectUnauthorized: false, agent: false, headers: { authorization: `Bearer ${token}` } }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    sent.on('error', reject)
    sent.end('SELECT 1')
  })
}

/** The name in the certificate that a new connection meets; rejects when there is none. */
function peerName(url: string, options: { readonly maxVersion?: 'TLSv1.1' | 'TLSv1.2' } = {}): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', rejectUnauthorized: false, ...options, ...(options.maxVersion === 'TLSv1.1' && { minVersion: 'TLSv1' }) }, () => {
      resolve(socket.getPeerCertificate().subject.CN as string | undefined)
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

test('tokens of the file and of the variable, over TLS 1.2 and newer, read again on SIGHUP', async () => {
  await withSecured({ LSMT_AUTH_TOKEN: 'from-variable' }, async ({ url, cli, status }, folder) => {
    expect(url).toMatch(/^https:/)
    expect([await status('r1'), await status('w1'), await status('from-variable'), await status('nope')]).toEqual([200, 200, 200, 401])
    expect([await peerName(url), await peerName(url, { maxVersion: 'TLSv1.2' })]).toEqual(['first.lsmt.test', 'first.lsmt.test'])
    await expect(peerName(url, { maxVersion: 'TLSv1.1' })).rejects.toThrow()
    await expect(fetch(url.replace('https', 'http'))).rejects.toThrow()

    await writeFile(join(folder, 'tokens'), 'read:r2\n')
    await useCertificate(folder, 'second')
    cli.child.kill('SIGHUP')
    await until(() => cli.err().includes('read again'))
    expect([await status('r1'), await status('r2'), await status('from-variable'), await peerName(url)]).toEqual([401, 200, 200, 'second.lsmt.test'])

    await writeFile(join(folder, 'tokens'), 'not a token\n')
    cli.child.kill('SIGHUP')
    await until(() => cli.err().includes('stay as they were'))
    expect([await status('r2'), await peerName(url)]).toEqual([200, 'second.lsmt.test'])
    expect(cli.out() + cli.err()).not.toMatch(/r1|r2|w1|from-variable|not a token/)
  })
})
