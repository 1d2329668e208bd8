/** Flags of the contract that nothing stands behind yet: whoever gives one is told so, and nothing starts without what was asked for. */
import { afterEach, expect, test, vi } from 'vitest'
import { variableOf } from '../../../src/cli/flags.ts'
import { runHere } from '../cli-in-process.ts'

afterEach(() => vi.unstubAllEnvs())

const flags = ['node-id', 'etcd', 'advertise', 'cluster', 'replication-factor']

test.each(flags)('--%s is refused, and its variable too', async (flag) => {
  const openEngine = vi.fn()
  const refused = { code: 2, out: '', err: expect.stringMatching(new RegExp(`^lsmt: --${flag} \\(${variableOf(flag)}\\) is not supported yet: [^\n]+\n$`)) as string }
  expect(await runHere(['serve', `--${flag}`, '3'], '', { openEngine })).toEqual(refused)
  vi.stubEnv(variableOf(flag), '3')
  expect(await runHere([], '', { openEngine })).toEqual(refused)
  expect(openEngine).not.toHaveBeenCalled()
})
