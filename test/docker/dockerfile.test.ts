/** The image, as far as it can be checked without an engine: everything that it promises stands in it and works. */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startServer } from '../server-process.ts'

const root = join(import.meta.dirname, '../..')
const run = promisify(execFile)

/** Instructions of the Dockerfile, continued lines joined. */
const instructions = readFileSync(join(root, 'Dockerfile'), 'utf8')
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => ({ word: line.split(' ')[0]!, rest: line.slice(line.indexOf(' ') + 1) }))
const lastStage = instructions.slice(instructions.findLastIndex(({ word }) => word === 'FROM'))
const last = (word: string): string => lastStage.findLast((each) => each.word === word)!.rest

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lsmt-docker-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

describe('Dockerfile', () => {
  test('builds in one stage and runs in another, slim, not as root', () => {
    expect(instructions.filter(({ word }) => word === 'FROM').map(({ rest }) => rest)).toEqual(['node:20-slim AS build', 'node:20-slim'])
    const order = lastStage.map(({ word, rest }) => `${word} ${rest}`)
    expect(last('USER')).toBe('node')
    expect(order.indexOf('USER node')).toBeGreaterThan(order.findIndex((each) => each.startsWith('RUN ')))
    expect(order.indexOf('USER node')).toBeLessThan(order.indexOf('VOLUME /data'))
  })

  test('ships no development dependency', () => {
    const built = instructions.slice(0, -lastStage.length).at(-1)!
    expect(built).toMatchObject({ word: 'RUN', rest: expect.stringMatching(/^npm run build && npm prune --omit=dev/) })
    expect(lastStage.some(({ word, rest }) => word === 'RUN' && rest.includes('npm'))).toBe(false)
    expect(lastStage.filter(({ word }) => word === 'COPY').every(({ rest }) => rest.startsWith('--from=build '))).toBe(true)
  })

  test('is stopped by SIGTERM, runs the server itself as the first process, and takes its flags from the environment', () => {
    expect(last('STOPSIGNAL')).toBe('SIGTERM')
    expect(JSON.parse(last('ENTRYPOINT'))).toEqual(['node', 'dist/main.js'])
    expect(JSON.parse(last('CMD'))).toEqual(['serve'])
    expect(last('ENV').split(' ')).toEqual(['NODE_ENV=production', 'LSMT_LISTEN=0.0.0.0:8080', 'LSMT_DATA_DIR=/data'])
    expect([last('VOLUME'), last('EXPOSE')]).toEqual(['/data', '8080'])
  })

  test('copies what is there, and nothing that is ignored', () => {
    const ignored = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n')
    const copied = instructions.filter(({ word, rest }) => word === 'COPY' && !rest.startsWith('--from')).flatMap(({ rest }) => rest.split(' ').slice(0, -1))
    expect(copied.filter((name) => !existsSync(join(root, name)) || ignored.includes(name))).toEqual([])
  })

  test('knows by its health check whether the server is ready', async () => {
    const command = JSON.parse(/CMD (\[.*\])$/.exec(last('HEALTHCHECK'))![1]!) as readonly string[]
    const check = async (port: string): Promise<number> => run(process.execPath, command.slice(1).map((each) => each.replaceAll('8080', port))).then(() => 0, (error: { readonly code: number }) => error.code)
    const folder = await temporaryFolder()
    const certificates = join(root, 'test/http/certificates')
    for (const flags of [[], ['--tls-cert', join(certificates, 'first-cert.pem'), '--tls-key', join(certificates, 'first-key.pem')]]) {
      const server = await startServer(folder, flags)
      const { port } = new URL(server.url)
      expect(await check(port)).toBe(0)
      await server.stop()
      expect(await check(port)).toBe(1)
    }
  })

  test.runIf(process.env['LSMT_TEST_FULL'])('copies all that the build needs', async () => {
    const folder = await temporaryFolder()
    for (const { word, rest } of instructions.slice(0, -lastStage.length)) {
      const names = rest.split(' ')
      if (word === 'COPY') for (const name of names.slice(0, -1)) await cp(join(root, name), join(folder, names.at(-1) === './' ? name : names.at(-1)!), { recursive: true })
    }
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
    await mkdir(join(folder, 'build'))
    await run('npm', ['run', 'build'], { cwd: folder })
    expect((await run(process.execPath, ['dist/main.js', '--version'], { cwd: folder })).stdout).toMatch(/^\d/)
  })
})
