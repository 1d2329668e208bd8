/** Watches over connections that do not last. */
import { describe, expect, it } from 'vitest'
import type { WatchEvent } from '../../../src/cluster/etcd/watch/watch.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { a, b, faultsOf, modelClient } from './model-client.ts'
import type { Fault } from './model/etcd-model.ts'
import { seededRuns } from './seeded-runs.ts'
import { changesOf, told } from './watched.ts'

const prefix = 'p/'

describe('watches of etcd', () => {
  it('tell every change once and in order, wherever their connections break', async () => {
    const faults: readonly Fault[] = ['no-connection', 'lost-request', 'silent', { code: 14, message: 'etcdserver: no leader' }]
    await seededRuns({ everyday: 20, full: 3_000 }, async (seed) => {
      const random = seededRandom(seed)
      const script = faultsOf((_, path) => (path === 'watch' && random.below(4) === 0 ? faults[random.below(faults.length)] : undefined))
      script.cut = () => random.below(4) === 0
      script.partEvents = 1 + random.below(3)
      script.messageRevisions = 1 + random.below(3)
      const { client, time, other } = modelClient(script, {}, seed)
      const expected: string[] = []
      const writing = async (): Promise<void> => {
        for (let i = 0; i < 20; i++) {
          const keys = ['x', 'y', 'z'].slice(0, 1 + random.below(3))
          await other().transact({ when: [], apply: keys.map((key) => ({ kind: 'put', key: prefix + key, value: String(i) })) })
          expected.push(...keys.map((key) => `put ${key}=${i}`))
          if (random.below(3) === 0) await other().put('elsewhere', '')
          if (random.below(3) === 0) await new Promise<void>((resolve) => void time.after(random.below(300), resolve))
        }
        await other().put(`${prefix}end`, '')
      }
      const got: string[] = []
      let last = 0n
      const watching = async (): Promise<void> => {
        for await (const event of client.watch({ scope: { prefix }, fromRevision: 1n })) {
          if (event.kind === 'compacted') throw new Error('nothing was compacted')
          expect(event.revision).toBeGreaterThan(last)
          last = event.revision
          if (event.kind === 'changes') got.push(...told(event.changes, prefix))
          if (got.at(-1) === 'put end=') return
        }
      }
      await time.run(Promise.all([writing(), watching()]))
      expect(got.slice(0, -1)).toEqual(expected)
      client.close()
    })
  })

  it('leave a member that is frozen: at the beginning, and after a silence', async () => {
    const frozen = new Set([a as string])
    const { client, model, time, other } = modelClient({ progressMs: 1e9 })
    model.script.fault = ({ endpoint }) => (frozen.has(endpoint) ? 'silent' : undefined)
    const lost: string[] = []
    const watching = changesOf(client.watch({ scope: { prefix }, fromRevision: 1n, onLost: (endpoint, why) => lost.push(`${endpoint} ${why}`) }), 2)
    await time.advance(1_100)
    expect(lost).toEqual([`${a} no watch within 1000 ms`])
    await other().put(`${prefix}k`, '1')
    await time.advance(3_000)
    // The silence was asked about, and answered.
    expect(model.requests.filter((request) => request === `kv/range ${b}`).length).toBe(1)
    frozen.add(b)
    frozen.delete(a)
    await time.advance(4_000)
    expect(lost[1]).toBe(`${b} silent, and no answer within 1000 ms`)
    await other().put(`${prefix}k`, '2')
    expect(told(await time.run(watching), prefix)).toEqual(['put k=1', 'put k=2'])
  })

  it('go on behind what progress has told, so that compaction of it is nothing', async () => {
    let isCut = false
    const { client, time, other } = modelClient({ cut: () => isCut })
    const first = await time.run(other().put('elsewhere', '1'))
    const events: WatchEvent[] = []
    const watching = (async () => {
      for await (const event of client.watch({ scope: { prefix }, fromRevision: first })) {
        events.push(event)
        if (event.kind === 'changes') return
      }
    })()
    const middle = await time.run(other().put('elsewhere', '2'))
    await time.advance(300)
    expect(events.at(-1)).toEqual({ kind: 'progress', revision: middle })
    isCut = true
    await time.advance(300)
    await other().compact(middle)
    isCut = false
    await time.run(other().put(`${prefix}k`, '3'))
    await time.run(watching)
    expect(events.map(({ kind }) => kind)).toEqual(['progress', 'changes'])
  })

  it('end with an error where no member would do better', async () => {
    const watch = async (script: Parameters<typeof modelClient>[0], line?: string): Promise<unknown> => {
      const { client, model, time } = modelClient(script, { settings: { messageBytesMax: 1_000 } })
      if (line !== undefined) model.transport.stream = async () => ({ kind: 'open', lines: (async function* lines() { yield line; return 'over' })() })
      return time.run(changesOf(client.watch({ scope: { prefix }, fromRevision: 1n }), 1).catch((cause: unknown) => cause))
    }
    expect(await watch({ fault: () => ({ code: 7, message: 'etcdserver: permission denied' }) })).toMatchObject({ code: '42501' })
    expect(await watch({}, '{"result":{"canceled":true,"created":true,"cancel_reason":"etcdserver: permission denied"}}')).toMatchObject({ code: '42501' })
    expect(await watch({}, '{"error":{"grpc_code":7,"message":"etcdserver: permission denied"}}')).toMatchObject({ code: '42501' })
    expect(await watch({}, JSON.stringify({ result: { fragment: true, events: [{ kv: { key: 'cC9h', value: 'A'.repeat(1_200), mod_revision: '7' } }] } }))).toMatchObject({ code: '54000' })
  })

  it('take nothing that they do not understand', async () => {
    const bad = ['not JSON', '[]', '{"result":7}', '{"result":{"events":7}}', '{"result":{"events":[{"type":"RENAME","kv":{}}]}}', '{"result":{"events":[{"kv":{"key":"cC9h","mod_revision":9007199254740993}}]}}', '{"result":{"events":[{"kv":{"key":"/w==","mod_revision":"7"}}]}}', '{"error":{"message":"etcdserver: no leader"}}']
    for (const line of bad) {
      const { client, model, time, other } = modelClient()
      const { stream } = model.transport
      let count = 0
      model.transport.stream = async (request) => (++count === 1 ? { kind: 'open', lines: (async function* lines() { yield line; return 'over' })() } : stream(request))
      await other().put(`${prefix}k`, '1')
      const lost: string[] = []
      const changes = await time.run(changesOf(client.watch({ scope: { prefix }, fromRevision: 1n, onLost: (endpoint) => lost.push(endpoint) }), 1))
      expect([told(changes, prefix), lost], line).toEqual([['put k=1'], [a]])
    }
  })

  it('keep revisions and lease ids of all 64 bits', async () => {
    const { client, model, time } = modelClient()
    const kv = { key: Buffer.from('p/k').toString('base64'), create_revision: '9007199254740993', mod_revision: '9223372036854775807', version: '9007199254740995', lease: '7587862094714364937' }
    const bodies: string[] = []
    model.transport.stream = async ({ body }) => {
      bodies.push(body)
      return { kind: 'open', lines: (async function* lines() { yield JSON.stringify({ result: { events: [{ kv }] } }); return 'over' })() }
    }
    const changes = await time.run(changesOf(client.watch({ scope: { prefix }, fromRevision: 9223372036854775806n }), 1))
    expect(changes).toEqual([{ kind: 'put', keyValue: { key: 'p/k', value: '', createRevision: 9007199254740993n, modRevision: 9223372036854775807n, version: 9007199254740995n, leaseId: 7587862094714364937n } }])
    expect(bodies[0]).toContain('"start_revision":"9223372036854775806"')
  })

  it('read only what is asked for, and close what is left', async () => {
    const { client, model, time } = modelClient()
    let lineCount = 0
    let isClosed = false
    model.transport.stream = async ({ signal }) => {
      signal.addEventListener('abort', () => { isClosed = true })
      return { kind: 'open', lines: (async function* lines() {
        for (;;) yield JSON.stringify({ result: { events: [{ kv: { key: 'cC9h', mod_revision: String(++lineCount) } }] } })
      })() }
    }
    for await (const event of client.watch({ scope: { prefix }, fromRevision: 1n })) {
      await time.advance(100)
      expect(lineCount).toBe(Number('revision' in event && event.revision))
      if (lineCount === 5) break
    }
    expect([lineCount, isClosed]).toEqual([5, true])
  })
})
