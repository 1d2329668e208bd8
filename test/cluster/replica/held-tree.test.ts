/** What a replica has of its tree when the files of another one come, or do not. */
import { expect, it } from 'vitest'
import { holdTree } from '../../../src/cluster/replica/held-tree.ts'
import type { StorageQueue } from '../../../src/cluster/replica/storage-queue.ts'
import { emptyLog } from '../../../src/cluster/replication/state/log-state.ts'
import { startReplica } from '../../../src/cluster/replication/state/replica-state.ts'
import type { ReplicaState } from '../../../src/cluster/replication/state/replica-state.ts'
import type { FetchedFiles, ReplicatedTree } from '../../../src/lsm/replicated/replicated-tree.ts'

interface Story {
  readonly lines: string[]
  readonly state: ReplicaState
  /** `ends` of the logs that are opened, the first included. */
  hold(...logs: readonly { readonly from: number; readonly to: number }[]): ReturnType<typeof holdTree>
  readonly queue: StorageQueue
  failure: Error | undefined
  readonly fetched: FetchedFiles
}

function begin(): Story {
  const lines: string[] = []
  const story: Story = {
    lines,
    state: { ...startReplica({ node: 'n', store: 's', incarnation: 1 }, { storedEpoch: 1, log: { ...emptyLog, lastSequence: 5 } }), commitSequence: 4 },
    queue: { hold: async () => void lines.push('hold'), resume: () => void lines.push('resume') } as unknown as StorageQueue,
    failure: undefined,
    fetched: { through: { sequence: 9, epoch: 2 }, state: new Uint8Array(), files: [], read: async function* () { /* There are none. */ } },
    hold(...logs) {
      let opened = 0
      return holdTree({
        async open() {
          const { from, to } = logs[opened++]!
          lines.push(`open ${opened}`)
          return {
            found: { startSequence: from, lastSequence: to },
            commit: (through: number) => void lines.push(`commit ${through}`), release: (through: number) => void lines.push(`release ${through}`), settle: () => undefined,
            close: async () => void lines.push('close'),
          } as unknown as ReplicatedTree
        },
        async install() {
          lines.push('install')
          if (story.failure !== undefined) throw story.failure
        },
      }, { onVisible: () => undefined, onTrimmed: () => undefined, onFailure: (error) => void lines.push(`fatal ${(error as Error).message}`) })
    },
  }
  return story
}

it('goes on with what was installed', async () => {
  const { hold, fetched, queue, state, lines } = begin()
  const held = await hold({ from: 0, to: 5 }, { from: 9, to: 9 })
  held.release(3, 2)
  await held.replace(fetched, queue, () => state)
  expect(lines).toEqual(['open 1', 'release 3', 'hold', 'close', 'install', 'open 2', 'release 3', 'resume'])
})

it('has what it had when nothing was installed', async () => {
  const story = begin()
  const held = await story.hold({ from: 0, to: 5 }, { from: 0, to: 5 })
  held.release(3, 2)
  story.failure = new Error('the stream ended')
  await expect(held.replace(story.fetched, story.queue, () => story.state)).rejects.toThrow('the stream ended')
  expect(story.lines).toEqual(['open 1', 'release 3', 'hold', 'close', 'install', 'open 2', 'release 3', 'commit 4', 'resume'])
  expect(held.isReplaced).toBe(false)
})

it('counts what stands there as installed, whatever went wrong after it', async () => {
  const story = begin()
  const held = await story.hold({ from: 0, to: 5 }, { from: 9, to: 9 })
  story.failure = new Error('something old could not be deleted')
  await held.replace(story.fetched, story.queue, () => story.state)
  expect(story.lines).not.toContain('commit 4')
})

it('is given up when what stands there is neither', async () => {
  const story = begin()
  const held = await story.hold({ from: 0, to: 5 }, { from: 7, to: 7 })
  await expect(held.replace(story.fetched, story.queue, () => story.state)).rejects.toMatchObject({ code: 'XX001' })
  expect(story.lines.at(-1)).toMatch(/^fatal after files up to sequence 9/)
})

it('takes no files that end before what is committed', async () => {
  const { hold, fetched, queue, state, lines } = begin()
  const held = await hold({ from: 0, to: 5 })
  await expect(held.replace({ ...fetched, through: { sequence: 3, epoch: 1 } }, queue, () => state)).rejects.toMatchObject({ code: '08P01' })
  expect(lines).toEqual(['open 1'])
})
