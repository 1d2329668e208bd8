import { expect, test } from 'vitest'
import { LsmtError } from '../../../src/errors.ts'
import { createTurns } from '../../../src/engine/session/turns.ts'

/** Written parts are counted, as a workspace does. */
function session(isBroken = false): { partCount: number; savepoint(): { partCount: number }; rollbackTo(to: { readonly partCount: number }): void } {
  return {
    partCount: 0,
    savepoint() {
      return { partCount: this.partCount }
    },
    rollbackTo({ partCount }) {
      if (isBroken) throw new LsmtError('25P02', 'broken')
      this.partCount = partCount
    },
  }
}

const later = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function* counting(): AsyncGenerator<number> {
  for (let i = 0; i < 3; i++) yield i
}

test('operations run one after the other as they were started, and leave nothing when they fail', async () => {
  const below = session()
  const turns = createTurns(below)
  const seen: string[] = []
  const add = (name: string, fails = false) => async (): Promise<string> => {
    seen.push(`${name} begins`)
    below.partCount++
    await later()
    seen.push(`${name} ends`)
    if (fails) throw new Error(name)
    return name
  }
  const outcomes = await Promise.allSettled([turns.write(add('a')), turns.write(add('b', true)), turns.read(add('c'))])
  expect(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : (outcome.reason as Error).message))).toEqual(['a', 'b', 'c'])
  expect(seen).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
  expect(below.partCount).toBe(2)
})

test('when what it wrote cannot be dropped, its own error is told', async () => {
  await expect(createTurns(session(true)).write(() => Promise.reject(new Error('mine')))).rejects.toThrow('mine')
})

test('the end waits for what was started and refuses the rest; with a reason, what has not begun as well', async () => {
  const turns = createTurns(session())
  const started = turns.write(later)
  const ended = turns.end()
  await expect(turns.read(later)).rejects.toMatchObject({ code: '25P01' })
  await expect(turns.stream(counting).next()).rejects.toMatchObject({ code: '25P01' })
  await Promise.all([started, ended])

  const stopped = createTurns(session())
  const running = stopped.write(later), waiting = stopped.write(later)
  await later()
  const reason = new Error('enough')
  const [first, second] = await Promise.allSettled([running, waiting, stopped.end(reason)])
  expect([first.status, second]).toEqual(['fulfilled', { status: 'rejected', reason }])
  expect(() => stopped.assertOpen()).toThrow('enough')
})

test('no write while rows are read, and none of the rows after the end', async () => {
  const turns = createTurns(session())
  const rows = turns.stream(counting)
  expect((await rows.next()).value).toBe(0)
  await expect(turns.write(later)).rejects.toMatchObject({ code: '55000' })
  await turns.read(later)
  await rows.return(undefined)
  await turns.write(later)
  const left = turns.stream(counting)
  await left.next()
  await turns.end()
  await expect(left.next()).rejects.toMatchObject({ code: '25P01' })
})

test('rows that the end cut off before the first one are never told to be all rows', async () => {
  const turns = createTurns(session())
  const first = turns.stream(counting).next()
  await turns.end()
  const [outcome] = await Promise.allSettled([first])
  expect(outcome).not.toMatchObject({ status: 'fulfilled', value: { done: true } })
})
