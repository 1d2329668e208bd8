/** What every storage promises; run over each implementation. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LsmtError } from '../../src/errors.ts'
import type { Storage } from '../../src/storage/storage.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (from: Uint8Array): string => new TextDecoder().decode(from)

export async function failureOf(action: Promise<unknown> | (() => unknown)): Promise<LsmtError> {
  try {
    await (typeof action === 'function' ? action() : action)
  } catch (error) {
    expect(error).toBeInstanceOf(LsmtError)
    return error as LsmtError
  }
  throw new Error('expected a failure')
}

export function describeStorage(kind: string, openStorage: () => Promise<{ readonly storage: Storage; readonly dispose: () => Promise<void> }>, { appends = true } = {}): void {
  const itAppends = (name: string, test: () => Promise<void>): void => { if (appends) it(name, test) }
  describe(`${kind} storage`, () => {
    let storage: Storage
    let dispose: () => Promise<void>
    beforeEach(async () => { ({ storage, dispose } = await openStorage()) })
    afterEach(() => dispose())

    it('creates an object once, from its parts', async () => {
      expect(await storage.createIfAbsent('a/b/one', [bytes('he'), bytes(''), bytes('llo')])).toBe('created')
      expect(await storage.createIfAbsent('a/b/one', [bytes('other')])).toBe('exists')
      expect(text(await storage.read('a/b/one'))).toBe('hello')
    })

    it('has exactly one winner among concurrent creators, whose bytes stand whole', async () => {
      const contenders = Array.from({ length: 20 }, (_, i) => new Uint8Array(50_000).fill(i + 1))
      const outcomes = await Promise.all(contenders.map((part) => storage.createIfAbsent('race/one', [part])))
      expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1)
      expect(await storage.read('race/one')).toEqual(contenders[outcomes.indexOf('created')])
    })

    it('shows a written object only once published', async () => {
      const writer = await storage.create('sst/0/1.sst')
      await writer.append(bytes('first '))
      expect(await storage.list('')).toEqual([])
      expect((await failureOf(storage.open('sst/0/1.sst'))).code).toBe('58P01')
      const part = bytes('second')
      await writer.append(part)
      part.fill(0)
      await writer.publish()
      expect(text(await storage.read('sst/0/1.sst'))).toBe('first second')
      expect((await failureOf(writer.append(bytes('more')))).code).toBe('55000')
      await writer.abort()
      expect(await storage.list('sst/')).toEqual([{ name: 'sst/0/1.sst', byteLength: 12 }])
    })

    it('keeps the order of appends that overlap', async () => {
      const writer = await storage.create('one')
      await Promise.all(['a', 'b', 'c', 'd'].map((letter) => writer.append(bytes(letter.repeat(1000)))))
      await writer.publish()
      expect(text(await storage.read('one'))).toBe('a'.repeat(1000) + 'b'.repeat(1000) + 'c'.repeat(1000) + 'd'.repeat(1000))
    })

    it('refuses to publish over an object, and drops an aborted one', async () => {
      await storage.createIfAbsent('one', [bytes('old')])
      const late = await storage.create('one')
      await late.append(bytes('new'))
      expect((await failureOf(late.publish())).code).toBe('58030')
      expect(text(await storage.read('one'))).toBe('old')
      const dropped = await storage.create('two')
      await dropped.append(bytes('x'))
      await dropped.abort()
      await dropped.abort()
      expect((await failureOf(dropped.publish())).code).toBe('55000')
      expect((await storage.list('')).map((object) => object.name)).toEqual(['one'])
    })

    it('reads ranges into any memory, and nothing past the end', async () => {
      await storage.createIfAbsent('one', [bytes('0123456789')])
      const reader = await storage.open('one')
      expect(reader.byteLength).toBe(10)
      const shared = new Uint8Array(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer)
      await reader.read(shared.subarray(100, 104), 3)
      expect(text(shared.slice(99, 105))).toBe('\u00003456\u0000')
      reader.readSync?.(shared.subarray(200, 202), 8)
      if (reader.readSync) expect(text(shared.slice(200, 203))).toBe('89\u0000')
      await reader.read(new Uint8Array(0), 10)
      for (const [byteLength, byteOffset] of [[1, 10], [11, 0], [2, 9], [1, -1]] as const) {
        const failure = await failureOf(reader.read(new Uint8Array(byteLength), byteOffset))
        expect(failure.code).toBe('58030')
        expect(failure.evidence.file).toContain('one')
      }
      await reader.close()
      await reader.close()
      expect((await failureOf(reader.read(new Uint8Array(1), 0))).code).toBe('55000')
    })

    itAppends('grows append files within and past their preallocation', async () => {
      const file = await storage.createAppend('wal/0/1.wal', 4096)
      expect(await storage.list('wal/')).toEqual([{ name: 'wal/0/1.wal', byteLength: 4096 }])
      expect(await storage.read('wal/0/1.wal')).toEqual(new Uint8Array(4096))
      file.write([bytes('abc'), bytes(''), bytes('def')], 8)
      await file.sync()
      expect(text((await storage.read('wal/0/1.wal')).slice(8, 15))).toBe('abcdef\u0000')
      file.write([new Uint8Array(3000).fill(7)], 4000)
      await Promise.all([file.sync(), file.sync()])
      file.syncNow?.()
      const grown = await storage.read('wal/0/1.wal')
      expect(grown.length).toBe(7000)
      expect(grown.subarray(4000)).toEqual(new Uint8Array(3000).fill(7))
      await file.close()
      await file.close()
      expect((await failureOf(() => file.write([bytes('x')], 0))).code).toBe('55000')
    })

    itAppends('creates an append file once and reopens it', async () => {
      const file = await storage.createAppend('wal/1', 16)
      file.write([bytes('one')], 0)
      await file.close()
      expect((await failureOf(storage.createAppend('wal/1', 16))).code).toBe('58030')
      const again = await storage.openAppend('wal/1')
      again.write([bytes('two')], 3)
      await again.sync()
      await again.close()
      expect(text((await storage.read('wal/1')).slice(0, 6))).toBe('onetwo')
      expect((await failureOf(storage.openAppend('wal/2'))).code).toBe('58P01')
    })

    itAppends('writes more parts at once than one system call takes', async () => {
      const file = await storage.createAppend('many', 0)
      const parts = Array.from({ length: 3000 }, (_, i) => new Uint8Array(3).fill(i & 0xff))
      file.write(parts, 0)
      expect(await storage.read('many')).toEqual(Uint8Array.from({ length: 9000 }, (_, i) => Math.floor(i / 3) & 0xff))
      await file.close()
    })

    it('lists names by their start, in byte order', async () => {
      for (const name of ['b', 'a-1', 'a/2', 'a/10', 'a.x', 'ab/1', 'a/1/z']) await storage.createIfAbsent(name, [bytes(name)])
      const names = async (prefix: string): Promise<readonly string[]> => (await storage.list(prefix)).map((object) => object.name)
      expect(await names('')).toEqual(['a-1', 'a.x', 'a/1/z', 'a/10', 'a/2', 'ab/1', 'b'])
      expect(await names('a/')).toEqual(['a/1/z', 'a/10', 'a/2'])
      expect(await names('nothing/')).toEqual([])
      expect(await names('a')).toEqual(['a-1', 'a.x', 'a/1/z', 'a/10', 'a/2', 'ab/1'])
      expect(await names('a/1')).toEqual(['a/1/z', 'a/10'])
      expect((await failureOf(storage.list('../'))).code).toBe('22023')
    })

    it('deletes, and does not mind what is absent', async () => {
      await storage.createIfAbsent('a/1', [bytes('x')])
      const reader = await storage.open('a/1')
      await storage.delete('a/1')
      await storage.delete('a/1')
      await storage.delete('never/was')
      expect(await storage.list('')).toEqual([])
      const into = new Uint8Array(1)
      const read = await reader.read(into, 0).then(() => text(into), (error: LsmtError) => error.code)
      expect(read).toBeOneOf(appends ? ['x'] : ['x', '58P01'])
      await reader.close()
      expect(await storage.createIfAbsent('a/1', [bytes('y')])).toBe('created')
    })

    it('calls a missing object missing', async () => {
      for (const action of [() => storage.read('no/such'), () => storage.open('no/such')]) {
        const failure = await failureOf(action)
        expect(failure.code).toBe('58P01')
        expect(failure.evidence.file).toContain('no/such')
      }
    })

    it('opens an object of known size, and says at the latest when it is read that there is none, or less', async () => {
      await storage.createIfAbsent('one', [bytes('0123456789')])
      const reader = await storage.open('one', 10)
      const into = new Uint8Array(4)
      await reader.read(into, 6)
      expect(text(into)).toBe('6789')
      await reader.close()
      const readFrom = async (name: string, byteLength: number): Promise<void> => {
        const opened = await storage.open(name, byteLength)
        try {
          await opened.read(into, byteLength - 4)
        } finally {
          await opened.close()
        }
      }
      expect((await failureOf(readFrom('no/such', 10))).code).toBe('58P01')
      expect((await failureOf(readFrom('one', 12))).code).toBe('58030')
    })

    it('refuses names that could leave its folder or mean something else', async () => {
      for (const name of ['', '/etc/x', '../x', 'a/../b', 'a//b', 'a/', '.hidden', 'A', 'a b', 'a\u0000', 'ä', 'tmp/x', 'lock', 'x'.repeat(600)]) {
        expect((await failureOf(storage.createIfAbsent(name, []))).code, name).toBe('22023')
        expect((await failureOf(storage.delete(name))).code, name).toBe('22023')
      }
    })

    it('keeps temporary files for whoever made them, until they are discarded', async () => {
      const [one, other] = [await storage.createTemporary(), await storage.createTemporary()]
      await Promise.all(['a', 'b', 'c'].map((letter) => one.append(bytes(letter.repeat(1000)))))
      await other.append(bytes('other'))
      const into = new Uint8Array(2)
      await one.read(into, 999)
      expect(text(into)).toBe('ab')
      expect(await storage.list('')).toEqual([])
      expect((await failureOf(other.read(into, 4))).code).toBe('58030')
      await one.discard()
      await one.discard()
      expect((await failureOf(one.append(bytes('more')))).code).toBe('55000')
      expect((await failureOf(one.read(into, 0))).code).toBe('55000')
      await other.read(into, 0)
      expect(text(into)).toBe('ot')
      await other.discard()
    })

    it('counts requests', async () => {
      await storage.createIfAbsent('one', [new Uint8Array(100)])
      await storage.read('one')
      await storage.list('')
      await storage.delete('one')
      expect(storage.counts).toEqual({ creates: 1, appends: 0, syncs: 0, reads: 1, bytesRead: 100, bytesWritten: 100, lists: 1, deletes: 1 })
    })

    itAppends('counts appends and syncs', async () => {
      const file = await storage.createAppend('two', 64)
      file.write([new Uint8Array(10), new Uint8Array(20)], 0)
      await file.sync()
      await file.close()
      expect(storage.counts).toEqual({ creates: 1, appends: 1, syncs: 1, reads: 0, bytesRead: 0, bytesWritten: 30, lists: 0, deletes: 0 })
    })

    it('says whether it has files that grow, and refuses them if not', async () => {
      expect(storage.appends).toBe(appends)
      if (appends) return
      expect((await failureOf(storage.createAppend('wal/1', 16))).code).toBe('0A000')
      expect((await failureOf(storage.openAppend('wal/1'))).code).toBe('0A000')
    })

    it('refuses to go on once closed', async () => {
      await storage.close()
      await storage.close()
      const actions = [() => storage.read('x'), () => storage.list(''), () => storage.createIfAbsent('x', []), () => storage.delete('x'), () => storage.createTemporary(), ...(appends ? [() => storage.createAppend('x', 1)] : [])]
      for (const action of actions) {
        expect((await failureOf(action)).code).toBe('55000')
      }
    })
  })
}
