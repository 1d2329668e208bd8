/** Three nodes in network namespaces, cut off in both and in one direction, over links that lose packets and slow ones. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createNetwork, leftOut } from '../../test-network.ts'
import type { TestNetwork } from '../../test-network.ts'
import { connectedTo, startProcess } from './node-process.ts'
import type { NodeProcess } from './node-process.ts'
import { processSettings } from './process-settings.ts'

const { silentMsMax, heartbeatMs, reconnectMsMax, connectMsMax } = processSettings
/** For a machine that is busy with other things. */
const slackMs = 10_000
const noticedMsMax = silentMsMax + 2 * heartbeatMs + slackMs
const foundMsMax = reconnectMsMax + connectMsMax + slackMs

if (leftOut !== undefined) console.log(`left out: nodes in network namespaces (${leftOut})`)

describe.skipIf(leftOut !== undefined)('nodes in network namespaces', () => {
  let network: TestNetwork | undefined
  let nodes: readonly NodeProcess[] = []

  beforeAll(async () => {
    const { addresses, within } = network = createNetwork(3)
    const urls = Object.fromEntries(addresses.map((address, index) => [`n${index + 1}`, `http://${address}:8080`]))
    nodes = addresses.map((address, index) => startProcess(`n${index + 1}`, `${address}:8080`, urls, within(index)))
    await Promise.all(nodes.map(async (node, a) => {
      for (let b = 0; b < 3; b++) if (a !== b) await node.says(connectedTo(`n${b + 1}`), 60_000, 0)
    }))
  })
  afterAll(() => {
    for (const { child } of nodes) child.kill('SIGKILL')
    network?.remove()
  })

  /** Whether the second one answers the first; some time is left before one who asks again does so. */
  async function isAnswered(n1: NodeProcess): Promise<boolean> {
    const isAnswer = (await n1.ask('echo n2')).code === undefined
    if (!isAnswer) await new Promise((resolve) => setTimeout(resolve, 50))
    return isAnswer
  }

  /** The third one hears nothing of what goes on between the first two. */
  async function undisturbed(run: () => Promise<void>): Promise<void> {
    const saidBefore = nodes[2]!.said.length
    await run()
    expect(nodes[2]!.said.slice(saidBefore).filter(({ isConnected }) => isConnected !== undefined)).toEqual([])
  }

  test.each([
    ['in both directions', () => network!.cut(0, 1)],
    ['in one direction', () => network!.cutOneWay(0, 1)],
    ['in the other direction', () => network!.cutOneWay(1, 0)],
  ])('a link that is cut %s is given up on both sides in time, and found again', async (_, cut) => {
    const [n1, n2] = nodes as [NodeProcess, NodeProcess]
    await undisturbed(async () => {
      const noticed = [n1.says(connectedTo('n2', false), noticedMsMax), n2.says(connectedTo('n1', false), noticedMsMax)]
      cut()
      await Promise.all(noticed)
      expect((await n1.ask('echo n2')).code).toBe('08006')
      expect((await n1.ask('echo n3')).code).toBeUndefined()
      const found = [n1.says(connectedTo('n2'), foundMsMax), n2.says(connectedTo('n1'), foundMsMax)]
      network!.heal()
      await Promise.all(found)
      expect((await n1.ask('echo n2')).code).toBeUndefined()
    })
  })

  test('over a link that loses packets requests are answered and messages arrive', async () => {
    const [n1, n2] = nodes as [NodeProcess, NodeProcess]
    const receivedBefore = (await n2.ask('echo n3')).received!['n1']!
    network!.lose(0, 5)
    network!.lose(1, 5)
    try {
      // A segment that is lost three times running is silence for longer than is waited, so that the link may be given up meanwhile.
      for (let answered = 0; answered < 20;) if (await isAnswered(n1)) answered++
    } finally {
      network!.heal()
    }
    // Should the link have been given up, the next test needs it.
    while (!await isAnswered(n1)) { /* Asked again. */ }
    expect((await n2.ask('echo n3')).received!['n1']!).toBeGreaterThan(receivedBefore)
  })

  test('a slow link that is full is not taken for a dead one, and requests pass what is streamed', async () => {
    const [n1, n2] = nodes as [NodeProcess, NodeProcess]
    network!.slow(1, 8_000)
    const saidBefore = [n1.said.length, n2.said.length]
    const streamed = n1.says(({ done }) => done === 'bytes', 30_000)
    n1.child.stdin.write('bytes n2 6000000\n')
    await new Promise((resolve) => setTimeout(resolve, 500))
    const echoed = n1.says(({ done }) => done === 'echo', 30_000)
    n1.child.stdin.write('echo n2\n')
    expect(await Promise.race([echoed, streamed])).toMatchObject({ done: 'echo' })
    const { code, ms } = await streamed
    expect(code).toBeUndefined()
    expect(ms).toBeGreaterThan(silentMsMax)
    for (const [index, node] of [n1, n2].entries()) expect(node.said.slice(saidBefore[index]).filter(({ isConnected }) => isConnected === false)).toEqual([])
    network!.heal()
  })
})
