import { describe, expect, it } from 'vitest'
import { createEtcdClient } from '../../../src/cluster/etcd/etcd-client.ts'
import { a, b, c, faultsOf, modelClient } from './model-client.ts'
import type { Fault } from './model/etcd-model.ts'

const every: readonly Fault[] = ['no-connection', 'lost-request', 'lost-answer', 'silent', { code: 14, message: 'etcdserver: request timed out' }, { code: 14, message: 'etcdserver: no leader' }, { code: 2, message: 'something new' }]
const certainlyUndone: readonly Fault[] = ['no-connection', { code: 14, message: 'etcdserver: no leader' }, { code: 8, message: 'etcdserver: too many requests' }]
const open: readonly Fault[] = ['lost-request', 'lost-answer', 'silent', 'silent-answer', { code: 14, message: 'etcdserver: request timed out' }, { code: 14, message: 'etcdserver: leader changed' }, { code: 8, message: 'grpc: received message larger than max (5 vs. 4)' }, { code: 2, message: 'something new' }]

describe('calls of etcd', () => {
  it('ask the next member whatever goes wrong with a read, and stay with the one that answered', async () => {
    for (const fault of every) {
      const { client, model, time } = modelClient(faultsOf((number) => (number === 1 ? fault : undefined)))
      await time.run(client.get('k'))
      await time.run(client.get('k'))
      expect(model.requests, JSON.stringify(fault)).toEqual([`kv/range ${a}`, `kv/range ${b}`, `kv/range ${b}`])
    }
  })

  it('repeat a write that certainly had no effect, and no other', async () => {
    for (const fault of certainlyUndone) {
      const { client, model, time } = modelClient(faultsOf((number) => (number <= 4 ? fault : undefined)))
      await time.run(client.put('k', 'v'))
      expect(model.requests, JSON.stringify(fault)).toEqual([a, b, c, b, c].map((endpoint, i) => `kv/put ${i === 3 ? a : i === 4 ? b : endpoint}`))
    }
    for (const fault of open) {
      const { client, model, time } = modelClient(faultsOf((number) => (number === 1 ? fault : undefined)))
      for (const write of [() => client.put('k', 'v'), () => client.delete({ key: 'k' }), () => client.transact({ when: [], apply: [{ kind: 'put', key: 'k', value: 'v' }] })]) {
        model.requests.length = 0
        const error = await time.run(write().then(() => undefined, (cause: unknown) => cause))
        if (model.requests.length === 1 && error === undefined) continue
        expect(error, JSON.stringify(fault)).toMatchObject({ code: '40003' })
        expect(model.requests.length).toBe(1)
      }
      expect(model.store.revision).toBeLessThanOrEqual(4n)
    }
  })

  it('end at their deadline, and tell why', async () => {
    for (const [fault, reason] of [['no-connection', 'ECONNREFUSED'], ['silent', 'no answer within'], [{ code: 14, message: 'etcdserver: no leader' }, 'no leader']] as const) {
      const { client, model, time } = modelClient(faultsOf(() => fault))
      const startMs = time.monotonicMs()
      const error = await time.run(client.get('k').catch((cause: unknown) => cause))
      expect(error).toMatchObject({ code: '08006', message: expect.stringContaining(reason) as string })
      expect(time.monotonicMs() - startMs).toBeLessThanOrEqual(5_000)
      expect(time.monotonicMs() - startMs).toBeGreaterThan(4_000)
      expect(new Set(model.requests).size).toBe(3)
    }
  })

  it('tell a silent member by its silence, and give it no more time than an attempt', async () => {
    const { client, model, time } = modelClient(faultsOf((_, __, endpoint) => (endpoint === a ? 'silent' : undefined)))
    const startMs = time.monotonicMs()
    await time.run(client.get('k'))
    expect(time.monotonicMs() - startMs).toBe(1_000)
    expect(model.requests).toEqual([`kv/range ${a}`, `kv/range ${b}`])
  })

  it('are told apart when they are refused, and are not repeated', async () => {
    const refusals = [
      [3, 'etcdserver: request is too large', '54000'],
      [3, 'etcdserver: user name is empty', '28000'],
      [3, 'etcdserver: authentication failed, invalid user ID or password', '28000'],
      [7, 'etcdserver: permission denied', '42501'],
      [8, 'etcdserver: mvcc: database space exceeded', '53100'],
      [5, 'etcdserver: requested lease not found', '55000'],
      [11, 'etcdserver: mvcc: required revision has been compacted', '55000'],
      [12, 'unknown method', '0A000'],
    ] as const
    for (const [code, message, expected] of refusals) {
      const { client, model, time } = modelClient(faultsOf(() => ({ code, message })))
      await expect(time.run(client.put('k', 'v'))).rejects.toMatchObject({ code: expected, message: expect.stringContaining(message) as string })
      expect(model.requests.length).toBe(1)
    }
  })

  it('refuse members of another cluster', async () => {
    const { client, model, time } = modelClient({ clusterIdOf: (endpoint) => (endpoint === a ? '1' : '18446744073709551615') })
    await time.run(client.get('k'))
    model.script.fault = ({ endpoint }) => (endpoint === a ? 'no-connection' : undefined)
    await expect(time.run(client.get('k'))).rejects.toMatchObject({ code: '22023', message: expect.stringContaining('18446744073709551615') as string })
  })

  it('end when the client is closed', async () => {
    const { client, time } = modelClient(faultsOf(() => 'silent'))
    const reading = client.get('k').catch((cause: unknown) => cause)
    const writing = client.put('k', 'v').catch((cause: unknown) => cause)
    await time.advance(10)
    client.close()
    const startMs = time.monotonicMs()
    expect(await time.run(reading)).toMatchObject({ code: '08006' })
    expect(await time.run(writing)).toMatchObject({ code: '40003' })
    expect(time.monotonicMs()).toBe(startMs)
    await expect(client.get('k')).rejects.toMatchObject({ code: '08006' })
  })

  it('need an address that can be one', () => {
    const create = (address: Parameters<typeof createEtcdClient>[0]): string => {
      try {
        createEtcdClient(address).close()
        return 'created'
      } catch (error) {
        return (error as { code: string }).code
      }
    }
    expect(create({ endpoints: ['http://h:2379', 'https://[::1]:2379/'] })).toBe('created')
    for (const endpoints of [[], ['h:2379'], ['ftp://h'], ['http://u:p@h'], ['http://h/v3'], ['http://h?x'], ['http://h', 'http://h/']]) expect(create({ endpoints }), String(endpoints)).toBe('22023')
    expect(create({ endpoints: ['https://h'], tls: { certificate: 'x' } })).toBe('22023')
    expect(create({ endpoints: ['http://h'], tls: { ca: 'x' } })).toBe('22023')
  })
})

describe('users of etcd', () => {
  const user = { name: 'lsmt', password: 'secret' }
  const token = (text: string) => ({ kind: 'answered', status: 200, body: JSON.stringify({ header: {}, token: text }) }) as const

  function withTokens(): ReturnType<typeof modelClient> & { readonly sent: (string | undefined)[]; valid: string; asked: number; isOff: boolean } {
    const made = modelClient({}, { user })
    const state = { ...made, sent: [] as (string | undefined)[], valid: 't1', asked: 0, isOff: false }
    const { post } = made.model.transport
    made.model.transport.post = async (request) => {
      if (request.path === 'auth/authenticate') {
        state.asked++
        expect(JSON.parse(request.body)).toEqual(user)
        if (state.isOff) return { kind: 'answered', status: 400, body: JSON.stringify({ error: 'etcdserver: authentication is not enabled', code: 9 }) }
        return token(state.valid)
      }
      state.sent.push(request.headers['authorization'])
      if (state.isOff || request.headers['authorization'] === state.valid) return post(request)
      return { kind: 'answered', status: 401, body: JSON.stringify({ error: 'etcdserver: invalid auth token', code: 16 }) }
    }
    return state
  }

  it('get one token for all calls, and another when it is no longer valid, writes included', async () => {
    const state = withTokens()
    await state.time.run(Promise.all([state.client.get('k'), state.client.put('k', '1')]))
    expect([state.asked, state.sent]).toEqual([1, ['t1', 't1']])
    state.valid = 't2'
    await state.time.run(Promise.all([state.client.put('k', '2'), state.client.put('k', '3')]))
    expect(state.asked).toBe(2)
    expect(state.sent.slice(2)).toEqual(['t1', 't1', 't2', 't2'])
    expect(state.model.store.revision).toBe(4n)
  })

  it('go without where etcd has authentication switched off, until it is switched on', async () => {
    const state = withTokens()
    state.isOff = true
    await state.time.run(state.client.put('k', '1'))
    await state.time.run(state.client.put('k', '2'))
    expect([state.asked, state.sent]).toEqual([1, [undefined, undefined]])
    state.isOff = false
    await state.time.run(state.client.put('k', '3'))
    expect([state.asked, state.sent.at(-1)]).toEqual([2, 't1'])
  })
})
