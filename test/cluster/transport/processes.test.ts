/** Two nodes as processes: one that is stopped is noticed though its socket lives on, one that is killed at once, and both are found again. */
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { connectedTo, startProcess } from './node-process.ts'
import type { NodeProcess } from './node-process.ts'
import { processSettings } from './process-settings.ts'

const { silentMsMax, heartbeatMs, reconnectMsMax, connectMsMax } = processSettings
/** For a machine that is busy with other things. */
const slackMs = 10_000
const noticedMsMax = silentMsMax + 2 * heartbeatMs + slackMs
const foundMsMax = reconnectMsMax + connectMsMax + slackMs
const portOf = async (node: NodeProcess): Promise<number> => (await node.says(({ port }) => port !== undefined, 30_000, 0)).port!

test('a process that is stopped, goes on, is killed and started again', async () => {
  const n1 = startProcess('n1', '127.0.0.1:0', {})
  const first = startProcess('n2', '127.0.0.1:0', { n1: `http://127.0.0.1:${await portOf(n1)}` })
  const port2 = await portOf(first)
  await first.says(connectedTo('n1'), foundMsMax, 0)

  first.child.kill('SIGSTOP')
  await n1.says(({ log }) => /^no connection from n2: nothing was heard of it for \d+ ms$/.test(log ?? ''), noticedMsMax)
  const foundAgain = Promise.all([n1.says(({ log }) => log === 'n2 is connected', foundMsMax), first.says(connectedTo('n1'), foundMsMax)])
  first.child.kill('SIGCONT')
  await foundAgain
  expect((await first.ask('echo n1')).code).toBeUndefined()

  const gone = n1.says(({ log }) => log?.startsWith('no connection from n2') === true, slackMs)
  first.child.kill('SIGKILL')
  await once(first.child, 'exit')
  await gone
  const second = startProcess('n2', `127.0.0.1:${port2}`, { n1: `http://127.0.0.1:${await portOf(n1)}` })
  await second.says(connectedTo('n1'), 30_000, 0)
  expect((await second.ask('bytes n1 3000000')).code).toBeUndefined()
})

test('who asks a stopped process has its answer in time: that there is none', async () => {
  const n1 = startProcess('n1', '127.0.0.1:0', {})
  const n2 = startProcess('n2', '127.0.0.1:0', { n1: `http://127.0.0.1:${await portOf(n1)}` })
  await n2.says(connectedTo('n1'), foundMsMax + 30_000, 0)
  n1.child.kill('SIGSTOP')
  const answers = [await n2.ask('echo n1'), await n2.ask('echo n1')]
  expect(answers.map(({ code }) => code)).toEqual(['40003', '08006'])
  expect(answers[0]!.ms).toBeLessThan(noticedMsMax)
  n1.child.kill('SIGKILL')
})
