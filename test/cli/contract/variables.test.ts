/** Every flag of every command has a variable, with a name that follows from it, and does by it what it does on the command line. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Option } from 'commander'
import { afterEach, expect, test, vi } from 'vitest'
import { variableOf } from '../../../src/cli/flags.ts'
import { runHere } from '../cli-in-process.ts'
import { makeDatabase, runCli, withFolder } from '../cli-process.ts'
import type { CliRun } from '../cli-process.ts'
import { parsedHere, programHere } from './program-here.ts'

afterEach(() => vi.unstubAllEnvs())

/** The flags of a command, as its action would get them, and where that of `option` comes from. */
async function parsed(name: string, args: readonly string[], option: Option): Promise<{ readonly values: Readonly<Record<string, unknown>>; readonly source: string | undefined }> {
  const command = await parsedHere(name, args)
  return { values: command.opts(), source: command.getOptionValueSource(option.attributeName()) }
}

interface Samples {
  readonly good: string
  /** undefined where any text will do. */
  readonly bad: string | undefined
}

const samples: Readonly<Record<string, Samples>> = {
  '<path>': { good: './some/where', bad: '' },
  '<host:port>': { good: '127.0.0.1:9', bad: '9' },
  '<url>': { good: 'http://127.0.0.1:9', bad: 'ftp://127.0.0.1' },
  '<character>': { good: ';', bad: 'two' },
  '<id>': { good: 'a', bad: '' },
  '<text>': { good: 'a', bad: undefined },
  '<sql>': { good: 'SELECT 1', bad: undefined },
  '<key>': { good: 'a', bad: undefined },
  '<name>': { good: 'my-bucket', bad: 'My bucket' },
  '<prefix>': { good: 'prod/orders', bad: 'a//b' },
  '<urls>': { good: 'http://127.0.0.1:9,https://127.0.0.2:9', bad: 'http://127.0.0.1:9,9' },
}

function samplesOf({ flags, argChoices, defaultValue, long }: Option): Samples {
  const placeholder = /<.*>$/.exec(flags)?.[0]
  if (placeholder === undefined) return { good: '1', bad: 'maybe' }
  if (argChoices !== undefined) return { good: argChoices.at(-1)!, bad: 'nope' }
  if (['<n>', '<ms>', '<bytes>'].includes(placeholder)) return { good: String((defaultValue as number | undefined ?? 8) + 1), bad: 'many' }
  const found = samples[placeholder]
  if (found === undefined) throw new Error(`what is a good value of ${long} ${placeholder}, and what a bad one? say it in this test`)
  return found
}

/** Without `--help` and `--version`, which ask for nothing that a variable could be for. */
const flags = programHere().commands.flatMap((command) => command.options.map((option) => ({ name: command.name(), option, variable: option.envVar! })))

test.each(programHere().commands.map((command) => command.name()))('each flag of %s has a line in its help that names its variable', async (name) => {
  const { code, out } = await runHere([name, '--help'])
  expect(code).toBe(0)
  const lines = out.split(/\n {2}(?=-)/).map((line) => line.replaceAll(/\s+/g, ' '))
  for (const { option, variable } of flags.filter((flag) => flag.name === name)) {
    expect([variableOf(option.name()), variableOf(`${name}-${option.name()}`)], `the variable of ${option.flags}`).toContain(variable)
    const [line, ...others] = lines.filter((each) => each.startsWith(`${option.flags} `))
    expect([others, option.description.length > 5]).toEqual([[], true])
    expect(line).toMatch(new RegExp(`env: ${variable}\\)`))
  }
})

test.each(flags)('$variable does for $name what $option.flags does', async ({ name, option, variable }) => {
  const { good, bad } = samplesOf(option)
  const flag = /</.test(option.flags) ? [option.long!, good] : [option.long!]
  const plain = await parsed(name, [], option), byFlag = await parsed(name, flag, option)
  expect(byFlag.values, 'the sample differs from the default').not.toEqual(plain.values)
  vi.stubEnv(variable, good)
  expect(await parsed(name, [], option)).toEqual({ values: byFlag.values, source: 'env' })
  if (!/</.test(option.flags)) {
    for (const no of ['0', 'false', 'no', 'FALSE']) {
      vi.stubEnv(variable, no)
      expect((await parsed(name, [], option)).values[option.attributeName()]).toBe(option.negate)
    }
    vi.stubEnv(variable, '')
    expect((await parsed(name, [], option)).values).toEqual(plain.values)
  }
  if (bad === undefined) return
  vi.stubEnv(variable, bad)
  await expect(parsed(name, [], option)).rejects.toThrow(new RegExp(`${variable}.*(expected|Allowed choices are) `, 'i'))
  if (/</.test(option.flags)) await expect(parsed(name, [option.long!, bad], option)).rejects.toThrow(new RegExp(`${option.long}.*(expected|Allowed choices are) `, 'i'))
  expect(await parsed(name, flag, option), 'what stands on the command line counts').toEqual({ values: byFlag.values, source: 'cli' })
})

test.each(programHere().commands.map((command) => command.name()))('%s refuses a flag that there is not', async (name) => {
  await expect(parsedHere(name, ['--nope'])).rejects.toThrow(/unknown option '--nope'/)
})

test('a variable means the same to all commands that have it', () => {
  for (const variable of new Set(flags.map((flag) => flag.variable))) {
    const meanings = flags.filter((flag) => flag.variable === variable).map(({ option }) => JSON.stringify([option.flags, option.argChoices, option.defaultValue, option.parseArg?.toString()]))
    expect(new Set(meanings).size, variable).toBe(1)
  }
  expect(flags.filter(({ variable }) => variable === 'LSMT_JSON').length).toBeGreaterThan(5)
})

async function run(args: readonly string[], environment: Readonly<Record<string, string>>, input = ''): Promise<CliRun> {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
  const result = await runHere(args, input, { environment })
  vi.unstubAllEnvs()
  return result
}

test('commands do what their variables say', async () => {
  await withFolder(async (folder) => {
    await makeDatabase(join(folder, 'data'), 'CREATE TABLE t (id BIGINT PRIMARY KEY, v TEXT)', ['--shards', '1'])
    const variables = { LSMT_DATA_DIR: join(folder, 'data'), LSMT_KERNELS: 'js' }
    expect(await run(['import', 't'], { ...variables, LSMT_NO_HEADER: 'true', LSMT_IMPORT_FORMAT: 'csv', LSMT_DELIMITER: ';', LSMT_JSON: '1' }, '1;a\n2;b\n')).toMatchObject({ code: 0, out: expect.stringContaining('"rowsWritten":2') as string })
    expect(await run(['sql'], { ...variables, LSMT_SQL_EXECUTE: 'SELECT v FROM t WHERE id = 2', LSMT_SQL_FORMAT: 'csv', LSMT_SQL_TIMING: 'yes' })).toMatchObject({ code: 0, out: expect.stringMatching(/^v\r?\nb\r?\nTime: [\d.]+ ms\n$/) as string })
    await writeFile(join(folder, 'script.sql'), 'SELECT 7 AS seven')
    expect((await run(['sql', join(folder, 'script.sql')], { ...variables, LSMT_SQL_EXECUTE: 'SELECT 8', LSMT_SQL_FORMAT: 'jsonl' })).out).toContain('[7]')
    const file = join(folder, 'out.csv')
    for (const [force, code] of [['no', 0], ['no', 1], ['yes', 0]] as const) {
      expect((await run(['export', file], { ...variables, LSMT_EXPORT_QUERY: 'SELECT 1 AS one', LSMT_EXPORT_FORCE: force })).code).toBe(code)
    }
    expect(JSON.parse((await runCli(['verify'], '', { ...variables, LSMT_JSON: 'yes' })).out)).toMatchObject({ findings: [] })
    expect((await run(['verify'], { ...variables, LSMT_JSON: 'no' })).out).toMatch(/^no damage found/)
    expect(await run(['verify'], { ...variables, LSMT_JSON: 'json' })).toEqual({ code: 2, out: '', err: "lsmt: LSMT_JSON is 'json', which stands for --json; expected 1, true or yes, or 0, false or no\n" })
  })
})
