/** A server on a disk that is really full: a small file system where mounting is allowed, a limit on files everywhere. */
import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { mainFile, query, startCli, withFolder } from './cli-process.ts'

const MiB = 1024 * 1024

function mountSmall(folder: string): boolean {
  return process.platform === 'linux' && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', folder]).status === 0
}

const mountable = await (async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lsmt-mount-'))
  const isMounted = mountSmall(folder)
  if (isMounted) spawnSync('umount', [folder])
  await rm(folder, { recursive: true })
  return isMounted
})()

async function insert(url: string, key: string): Promise<{ readonly status: number; readonly text: string }> {
  return await query(url, `INSERT INTO kv VALUES ('${key}', '${'v'.repeat(40_000)}')`)
}

/** Inserts until the disk is full; gives the keys that were acknowledged. */
async function fill(url: string, prefix: string): Promise<readonly string[]> {
  for (let count = 0; ; count++) {
    const { status, text } = await insert(url, `${prefix}${count}`)
    if (status === 200) continue
    expect([status, JSON.parse(text)]).toMatchObject([503, { error: { code: '53100', message: 'the disk is full: reads go on, writes are taken again when there is room' } }])
    expect(text).not.toContain('/tmp')
    return Array.from({ length: count }, (_, i) => `${prefix}${i}`)
  }
}

async function keysOf(url: string): Promise<readonly string[]> {
  const { text } = await query(url, 'SELECT key FROM kv ORDER BY key')
  return (JSON.parse(text) as { rows: string[][] }).rows.map(([key]) => key!)
}

async function untilWritten(url: string, key: string): Promise<void> {
  while ((await insert(url, key)).status !== 200) await new Promise((resolve) => setTimeout(resolve, 100))
}

test.skipIf(!mountable)('a small file system: read-only when full, by itself again when there is room, nothing lost', async () => {
  await withFolder(async (folder) => {
    const disk = join(folder, 'disk')
    await mkdir(disk)
    expect(mountSmall(disk)).toBe(true)
    const args = ['--listen', '127.0.0.1:0', '--data-dir', join(disk, 'data'), '--shards', '1']
    const cli = startCli(args)
    try {
      const url = await cli.listening
      await writeFile(join(disk, 'ballast'), Buffer.alloc(14 * MiB))
      const first = await fill(url, 'a')
      expect(first.length).toBeGreaterThan(5)
      expect([...await keysOf(url)].sort()).toEqual([...first].sort())
      expect((await fetch(`${url}/health/ready`)).status).toBe(200)
      await rm(join(disk, 'ballast'))
      await untilWritten(url, 'b')
      const second = await fill(url, 'c')
      cli.child.kill('SIGKILL')
      await cli.exited
      const all = [...first, 'b', ...second].sort()
      await new Promise((resolve) => { spawnSync('mount', ['-o', 'remount,size=96m', disk]); resolve(undefined) })
      const again = startCli(args)
      expect([...await keysOf(await again.listening)].sort()).toEqual(all)
      again.child.kill('SIGTERM')
      expect(await again.exited).toBe(0)
    } finally {
      cli.child.kill('SIGKILL')
      await cli.exited
      spawnSync('umount', [disk])
    }
  })
})

test('files that may not grow any more are a full disk, not the end of the process', async () => {
  await withFolder(async (folder) => {
    // In blocks of 512 bytes: the first segment of the log fits, the next does not.
    const limited = join(folder, 'limited.sh')
    await writeFile(limited, `ulimit -f 3000; exec "${process.execPath}" "${mainFile}" --listen 127.0.0.1:0 --shards 1 --data-dir "${join(folder, 'data')}"`)
    const cli = startCli([limited], {}, undefined, '/bin/sh')
    const url = await cli.listening
    const keys = await fill(url, 'k')
    expect([...await keysOf(url)].sort()).toEqual([...keys].sort())
    cli.child.kill('SIGTERM')
    expect(await cli.exited).toBe(0)
  })
})
