import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createLocalAppendFile } from '../../src/storage/local/local-append.ts'
import type { AppendHandle } from '../../src/storage/local/local-append.ts'
import { attachLocalStorage, openLocalStorage } from '../../src/storage/local-storage.ts'
import { zeroCounts } from '../../src/storage/storage-counts.ts'
import { storageError, unmadeFolder } from '../../src/storage/storage-errors.ts'
import { failureOf } from './storage-conformance.ts'
import { temporaryDirectory } from './temporary-directory.ts'

let directory: ReturnType<typeof temporaryDirectory>
beforeEach(() => { directory = temporaryDirectory() })
afterEach(() => directory.remove())

describe('local storage', () => {
  it('creates its directory, keeps objects across opens, and clears what a crash left', async () => {
    const path = join(directory.path, 'deep', 'er')
    const first = await openLocalStorage(path)
    await first.createIfAbsent('a/1', [Uint8Array.of(1, 2)])
    const unfinished = await first.create('a/2')
    await unfinished.append(new Uint8Array(10))
    expect(readdirSync(join(path, 'tmp'))).toHaveLength(1)
    await first.close()
    const second = await openLocalStorage(path)
    expect(readdirSync(join(path, 'tmp'))).toEqual([])
    expect(await second.list('')).toEqual([{ name: 'a/1', byteLength: 2 }])
    await second.close()
    await unfinished.abort()
  })

  it('leaves no temporary file behind, whatever came of it', async () => {
    const storage = await openLocalStorage(directory.path)
    await storage.createIfAbsent('x', [])
    await storage.createIfAbsent('x', [])
    await failureOf(storage.createAppend('x', 10))
    await failureOf(storage.createIfAbsent('x/below-a-file', []))
    const aborted = await storage.create('y')
    await aborted.abort()
    expect(readdirSync(join(directory.path, 'tmp'))).toEqual([])
    await storage.close()
  })

  it('gives threads of the process a further handle', async () => {
    const storage = await openLocalStorage(directory.path)
    const attached = await attachLocalStorage(directory.path)
    await attached.createIfAbsent('t/1', [Uint8Array.of(7)])
    expect(await storage.read('t/1')).toEqual(Uint8Array.of(7))
    await attached.close()
    await storage.close()
  })

  it('says what is wrong with a directory that cannot be one', async () => {
    const path = join(directory.path, 'file')
    writeFileSync(path, '')
    const failure = await failureOf(openLocalStorage(path))
    expect(failure.code).toBe('58030')
    expect(failure.evidence.file).toBe(path)
  })

  it('reports a folder where a file should be as an error, not as absent', async () => {
    const storage = await openLocalStorage(directory.path)
    mkdirSync(join(directory.path, 'folder'))
    expect((await failureOf(storage.read('folder'))).code).toBe('58030')
    expect(existsSync(join(directory.path, 'folder'))).toBe(true)
    await storage.close()
  })
})

describe('errors of the operating system', () => {
  it.each([['EEXIST', 'a file has this name'], ['ENOTDIR', 'a part of the path is a file'], ['EACCES', 'this user may not make folders there'], ['ENOENT', 'its parent takes no folders'], ['EPERM', 'the file system takes no folders']])('a folder that cannot be made is another matter than a file that is gone: %s', (errno, hint) => {
    const error = unmadeFolder(Object.assign(new Error('no'), { code: errno }), '/data')
    expect([error.message, error.evidence.hint]).toEqual(['cannot create the folder /data: no', expect.stringContaining(hint)])
  })

  it('says of a data directory that a file stands in its way', async () => {
    const file = join(directory.path, 'in-the-way')
    writeFileSync(file, '')
    expect((await failureOf(openLocalStorage(file))).evidence.hint).toContain('a file has this name')
    expect((await failureOf(openLocalStorage(join(file, 'below')))).evidence.hint).toContain('a part of the path is a file')
  })

  it.each([['ENOENT', '58P01'], ['ENOSPC', '53100'], ['EDQUOT', '53100'], ['EFBIG', '53100'], ['EACCES', '58030'], ['EROFS', '58030'], ['EIO', '58030'], ['EWHATEVER', '58030']])('%s is %s', (errno, code) => {
    const error = storageError(Object.assign(new Error(`${errno}: no`), { code: errno }), 'write', '/data/x')
    expect(error.code).toBe(code)
    expect(error.evidence.file).toBe('/data/x')
    expect(error.message).toContain('cannot write /data/x')
    if (errno !== 'EWHATEVER') expect(error.evidence.hint).toBeTruthy()
    expect(storageError(error, 'read', 'elsewhere')).toBe(error)
  })
})

describe('a local append file', () => {
  const eio = (): Error => Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })
  const healthy: AppendHandle = {
    writeSome: (parts) => parts.reduce((sum, part) => sum + part.length, 0),
    datasync: async () => {},
    datasyncNow: () => {},
    close: async () => {},
  }

  it('stays poisoned after a failed sync, though the next would succeed', async () => {
    let failing = true
    const file = createLocalAppendFile({ ...healthy, datasync: async () => { if (failing) throw eio() } }, '/data/1.wal', zeroCounts())
    file.write([Uint8Array.of(1)], 0)
    const failure = await failureOf(file.sync())
    expect(failure.code).toBe('58030')
    expect(failure.evidence.file).toBe('/data/1.wal')
    failing = false
    expect(await failureOf(file.sync())).toBe(failure)
    expect(await failureOf(() => file.write([Uint8Array.of(1)], 1))).toBe(failure)
    await file.close()
  })

  it('stays poisoned after a failed sync on this thread, and counts each', async () => {
    const counts = zeroCounts()
    let failing = false
    const file = createLocalAppendFile({ ...healthy, datasyncNow: () => { if (failing) throw eio() } }, '/data/1.wal', counts)
    file.syncNow!()
    await file.sync()
    expect(counts.syncs).toBe(2)
    failing = true
    const failure = await failureOf(() => file.syncNow!())
    expect(failure.code).toBe('58030')
    failing = false
    expect(await failureOf(() => file.syncNow!())).toBe(failure)
    expect(await failureOf(file.sync())).toBe(failure)
  })

  it('fails a sync that was under way when another failed', async () => {
    const waiting: { resolve: () => void; reject: (error: Error) => void }[] = []
    const file = createLocalAppendFile({ ...healthy, datasync: () => new Promise((resolve, reject) => { waiting.push({ resolve, reject }) }) }, '/data/1.wal', zeroCounts())
    const first = failureOf(file.sync())
    const second = failureOf(file.sync())
    waiting[0]!.reject(eio())
    await first
    waiting[1]!.resolve()
    expect(await second).toBe(await first)
  })

  it('stays poisoned after a failed write', async () => {
    const file = createLocalAppendFile({ ...healthy, writeSome: () => { throw eio() } }, '/data/1.wal', zeroCounts())
    const failure = await failureOf(() => file.write([Uint8Array.of(1)], 0))
    expect(failure.code).toBe('58030')
    expect(await failureOf(file.sync())).toBe(failure)
  })

  it.each(['ENOSPC', 'EDQUOT', 'EFBIG'])('may write again what found no room (%s)', async (code) => {
    const disk = new Uint8Array(8)
    let room = 2
    const writeSome = (parts: readonly Uint8Array[], byteOffset: number): number => {
      const bytes = parts[0]!.subarray(0, room)
      if (bytes.length === 0) throw Object.assign(new Error(`${code}: no room`), { code })
      disk.set(bytes, byteOffset)
      room -= bytes.length
      return bytes.length
    }
    const file = createLocalAppendFile({ ...healthy, writeSome }, '/data/1.wal', zeroCounts())
    expect((await failureOf(() => file.write([Uint8Array.of(1, 2, 3, 4)], 1))).code).toBe('53100')
    room = 8
    file.write([Uint8Array.of(1, 2, 3, 4)], 1)
    await file.sync()
    expect(disk).toEqual(Uint8Array.of(0, 1, 2, 3, 4, 0, 0, 0))
  })

  it('finishes short writes', () => {
    const disk = new Uint8Array(64)
    const file = createLocalAppendFile({
      ...healthy,
      writeSome: (parts, byteOffset) => {
        const bytes = Uint8Array.from(parts.flatMap((part) => [...part])).subarray(0, 3)
        disk.set(bytes, byteOffset)
        return bytes.length
      },
    }, '/data/1.wal', zeroCounts())
    file.write([Uint8Array.of(1, 2), Uint8Array.of(3, 4, 5, 6, 7), new Uint8Array(0), Uint8Array.of(8)], 10)
    expect(disk.slice(9, 19)).toEqual(Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 0))
  })
})
