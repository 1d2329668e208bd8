/** What the client gives over any etcd: run over a real one, and over the model that other tests stand on. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EtcdClient } from '../../../src/cluster/etcd/etcd-client.ts'
import type { WatchEvent } from '../../../src/cluster/etcd/watch/watch.ts'
import { changeRevisionOf } from '../../../src/cluster/etcd/wire/watch-message.ts'
import { describeLeases } from './lease-conformance.ts'
import { changesOf, freshPrefix, told } from './watched.ts'

/** Pages have three keys. */
export type OpenClient = () => Promise<EtcdClient>

export function etcdConformance(name: string, open: OpenClient): void {
  describe(name, () => {
    let client: EtcdClient
    beforeAll(async () => { client = await open() })
    afterAll(() => client.close())
    describeKeys(() => client)
    describeTransactions(() => client)
    describeWatches(() => client)
    describeLeases(() => client)
  })
}

function describeKeys(client: () => EtcdClient): void {
  it('keeps keys with revisions and versions', async () => {
    const key = `${freshPrefix()}a`
    const absent = await client().get(key)
    expect(absent.found).toBeUndefined()
    const first = await client().put(key, 'one')
    expect(first).toBeGreaterThan(absent.revision)
    const second = await client().put(key, 'two')
    expect((await client().get(key)).found).toEqual({ key, value: 'two', createRevision: first, modRevision: second, version: 2n, leaseId: 0n })
    expect((await client().get(key, { revision: first })).found?.value).toBe('one')
    const { deletedCount, revision } = await client().delete({ key })
    expect([deletedCount, revision > second]).toEqual([1, true])
    expect((await client().delete({ key })).deletedCount).toBe(0)
    expect((await client().get(key)).found).toBeUndefined()
    await expect(client().get(key, { revision: revision + 1000n })).rejects.toMatchObject({ code: '55000' })
  })

  it('keeps any text as key and value', async () => {
    const prefix = freshPrefix()
    const texts = ['', 'ü€𝄞', '\0', '\n"\\', '\ufeffbom', 'x'.repeat(100_000)]
    for (const [i, text] of texts.entries()) await client().put(`${prefix}${i}${text.slice(0, 20)}`, text)
    expect((await client().list(prefix)).keyValues.map(({ key, value }) => [key, value])).toEqual(texts.map((text, i) => [`${prefix}${i}${text.slice(0, 20)}`, text]))
  })

  it('refuses what cannot be', async () => {
    await expect(client().get('')).rejects.toMatchObject({ code: '22023' })
    await expect(client().list('')).rejects.toMatchObject({ code: '22023' })
    await expect(client().delete({ prefix: '' })).rejects.toMatchObject({ code: '22023' })
  })

  it('lists a prefix in pages at one revision, whatever happens meanwhile', async () => {
    const prefix = freshPrefix()
    const names = ['a', 'b', 'b\0', 'b/c', 'c', 'd', 'z', 'é']
    for (const name of names) await client().put(prefix + name, name)
    await client().put(`${prefix.slice(0, -1)}0`, 'behind the prefix')
    const listing = await client().list(prefix)
    const pages: string[][] = []
    for await (const { keyValues, revision } of client().pages(prefix)) {
      expect(revision).toBe(listing.revision)
      pages.push(keyValues.map(({ value }) => value))
      if (pages.length === 1) await client().delete({ prefix })
    }
    expect(pages.map(({ length }) => length)).toEqual([3, 3, 2])
    expect(pages.flat()).toEqual(names)
    expect(listing.keyValues.map(({ value }) => value)).toEqual(names)
    expect((await client().list(prefix)).keyValues).toEqual([])
    expect((await client().list(prefix, { revision: listing.revision })).keyValues.length).toBe(8)
  })
}

function describeTransactions(client: () => EtcdClient): void {
  it('compares values, versions and revisions', async () => {
    const prefix = freshPrefix()
    const [key, absent] = [`${prefix}a`, `${prefix}none`]
    const create = await client().put(key, 'one')
    const mod = await client().put(key, 'two')
    const holds = async (...when: Parameters<EtcdClient['transact']>[0]['when'][number][]): Promise<boolean> => (await client().transact({ when, apply: [] })).held
    expect(await holds({ kind: 'value', key, is: '=', value: 'two' }, { kind: 'version', key, is: '=', to: 2n }, { kind: 'create-revision', key, is: '=', to: create }, { kind: 'mod-revision', key, is: '=', to: mod }, { kind: 'lease', key, is: '=', to: 0n })).toBe(true)
    expect(await holds({ kind: 'value', key, is: '=', value: 'two' }, { kind: 'version', key, is: '=', to: 1n })).toBe(false)
    expect(await holds({ kind: 'value', key, is: '!=', value: 'one' }, { kind: 'version', key, is: '>', to: 1n }, { kind: 'mod-revision', key, is: '<', to: mod + 1n }, { kind: 'value', key, is: '<', value: 'two!' })).toBe(true)
    expect(await holds({ kind: 'version', key: absent, is: '=', to: 0n }, { kind: 'create-revision', key: absent, is: '=', to: 0n }, { kind: 'mod-revision', key: absent, is: '=', to: 0n })).toBe(true)
    expect(await holds({ kind: 'value', key: absent, is: '=', value: '' })).toBe(false)
    expect(await holds()).toBe(true)
  })

  it('carries out one list or the other, at one revision', async () => {
    const prefix = freshPrefix()
    const [a, b] = [`${prefix}a`, `${prefix}b`]
    const { revision } = await client().transact({ when: [], apply: [{ kind: 'put', key: a, value: '1' }, { kind: 'put', key: b, value: '2' }] })
    expect((await client().list(prefix)).keyValues.map(({ modRevision }) => modRevision)).toEqual([revision, revision])
    const transaction = { when: [{ kind: 'version', key: a, is: '=', to: 1n }], apply: [{ kind: 'put', key: a, value: '3' }, { kind: 'get', key: a }, { kind: 'delete', scope: { prefix: b } }], otherwise: [{ kind: 'get', key: a }, { kind: 'get', key: b }] } as const
    const first = await client().transact(transaction)
    expect([first.held, first.revision]).toEqual([true, revision + 1n])
    expect(first.results).toMatchObject([{ kind: 'put' }, { kind: 'get', found: { value: '3', version: 2n } }, { kind: 'delete', deletedCount: 1 }])
    const second = await client().transact(transaction)
    expect(second.held).toBe(false)
    expect(second.results).toMatchObject([{ found: { value: '3' } }, { found: undefined }])
    const twice = client().transact({ when: [], apply: [{ kind: 'put', key: a, value: '4' }, { kind: 'put', key: a, value: '5' }] })
    await expect(twice).rejects.toMatchObject({ code: '22023' })
    expect((await client().get(a)).found?.value).toBe('3')
  })

  it('swaps for one of many', async () => {
    const key = `${freshPrefix()}leader`
    for (let round = 0; round < 3; round++) {
      const seen = await client().get(key)
      const outcomes = await Promise.all(Array.from({ length: 20 }, (_, i) => client().swap({ seen, value: `${round}-${i}` })))
      const won = outcomes.flatMap((outcome, i) => (outcome.kind === 'swapped' ? [{ revision: outcome.revision, i }] : []))
      const { found } = await client().get(key)
      expect(won).toEqual([{ revision: found?.modRevision, i: Number(found?.value.split('-')[1]) }])
      expect(outcomes.filter(({ kind }) => kind === 'changed').length).toBe(19)
      expect(outcomes.find((outcome) => outcome.kind === 'changed')).toMatchObject({ now: { found: { value: found?.value } } })
    }
  })

  it('swaps only while its other conditions hold', async () => {
    const prefix = freshPrefix()
    const [key, other] = [`${prefix}a`, `${prefix}b`]
    const seen = await client().get(key)
    const when = [{ kind: 'version', key: other, is: '>', to: 0n }] as const
    expect(await client().swap({ seen, value: 'x', when })).toMatchObject({ kind: 'unmet', now: { found: undefined } })
    await client().put(other, '')
    expect(await client().swap({ seen, value: 'x', when })).toMatchObject({ kind: 'swapped' })
    await expect(client().swap({ seen: await client().get(key), value: 'x' })).rejects.toMatchObject({ code: '22023' })
    const before = await client().get(key)
    await client().delete({ key })
    expect(await client().swap({ seen: before, value: 'y' })).toMatchObject({ kind: 'changed', now: { found: undefined } })
  })
}

function describeWatches(client: () => EtcdClient): void {
  it('watches a prefix from a revision: what was, then what comes, in order', async () => {
    const prefix = freshPrefix()
    const first = await client().put(`${prefix}a`, '1')
    await client().put(`${prefix.slice(0, -1)}0`, 'outside')
    await client().transact({ when: [], apply: [{ kind: 'put', key: `${prefix}b`, value: '2' }, { kind: 'put', key: `${prefix}c`, value: '3' }] })
    const watching = changesOf(client().watch({ scope: { prefix }, fromRevision: first }), 6)
    await client().delete({ key: `${prefix}a` })
    await client().delete({ prefix })
    const changes = await watching
    expect(told(changes, prefix)).toEqual(['put a=1', 'put b=2', 'put c=3', 'delete a', 'delete b', 'delete c'])
    const revisions = changes.map(changeRevisionOf)
    expect(revisions[0]).toBe(first)
    expect(revisions[1]).toBe(revisions[2])
    expect(revisions[4]).toBe(revisions[5])
  })

  it('tells how far it has come while nothing happens, and ends when its signal says so', async () => {
    const prefix = freshPrefix()
    const end = new AbortController()
    const from = await client().put(`${freshPrefix()}elsewhere`, '')
    for await (const event of client().watch({ scope: { prefix }, fromRevision: from, signal: end.signal })) {
      expect(event.kind).toBe('progress')
      expect(event.kind === 'progress' && event.revision >= from).toBe(true)
      end.abort()
    }
    expect(end.signal.aborted).toBe(true)
  })

  it('tells that changes were compacted, so that the owner lists again', async () => {
    const prefix = freshPrefix()
    const first = await client().put(`${prefix}a`, '1')
    await client().put(`${prefix}a`, '2')
    const last = await client().put(`${prefix}a`, '3')
    await client().compact(last)
    await client().compact(last)
    await expect(client().get(`${prefix}a`, { revision: first })).rejects.toMatchObject({ code: '55000' })
    const events: WatchEvent[] = []
    for await (const event of client().watch({ scope: { prefix }, fromRevision: first })) events.push(event)
    expect(events).toEqual([{ kind: 'compacted', compactRevision: last }])
    expect(told(await changesOf(client().watch({ scope: { prefix }, fromRevision: last }), 1), prefix)).toEqual(['put a=3'])
  })

  it('puts the parts of large messages together', async () => {
    const prefix = freshPrefix()
    const big = 'x'.repeat(900_000)
    const first = await client().put(`${prefix}0`, big)
    for (let i = 1; i < 4; i++) await client().put(`${prefix}${i}`, big)
    const changes = await changesOf(client().watch({ scope: { prefix }, fromRevision: first }), 4)
    expect(changes.map((change) => change.kind === 'put' && change.keyValue.value.length)).toEqual([900_000, 900_000, 900_000, 900_000])
    await client().delete({ prefix })
  })
}
