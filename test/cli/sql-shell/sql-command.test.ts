/** `lsmt sql`: scripts within this process, the shell in a process of its own on a pseudo-terminal. */
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { endingWithFile } from '../../child-process.ts'
import { runHere, serveHere } from '../cli-in-process.ts'
import { mainFile, query, withFolder } from '../cli-process.ts'

test('scripts run to the first error, of a server and of its directory', async () => {
  await withFolder(async (folder) => {
    const server = await serveHere(folder)
    const url = ['--url', server.url]
    expect(await runHere(['sql', ...url], "CREATE TABLE t (id BIGINT PRIMARY KEY, name TEXT);\nINSERT INTO t VALUES (1, 'a;b'),\n (2, NULL);\n\\format csv\nSELECT * FROM t;\nSELECT 1/0;\nDROP TABLE t;\n")).toEqual({
      code: 1, out: 'CREATE TABLE\nINSERT 2\nresults are shown as csv\nid,name\r\n1,a;b\r\n2,\r\n', err: 'lsmt: division by zero at character 8\n',
    })
    expect(await runHere(['sql', ...url, '-e', "BEGIN; UPDATE t SET name = 'c'; SELECT COUNT(*) FROM t; COMMIT"])).toMatchObject({ code: 0, out: 'BEGIN\nUPDATE 2\n  count\n BIGINT\n--------\n      2\n(1 row)\nCOMMIT\n' })
    expect(await runHere(['sql', ...url, '-e', 'SELEC'])).toMatchObject({ code: 1, out: '' })
    expect(await runHere(['sql', '--url', 'http://127.0.0.1:9', '-e', 'SELECT 1'])).toMatchObject({ code: 3 })
    expect(await runHere(['sql', '--data-dir', folder, '-e', 'SELECT 1'])).toMatchObject({ code: 3, err: expect.stringContaining('--url') })
    await server.stop()
    expect(await runHere(['sql', '--data-dir', folder, '--format', 'jsonl', '-e', 'SELECT name FROM t LIMIT 1'])).toMatchObject({ code: 0, out: expect.stringMatching(/^\{"columns":\[\{"name":"name","type":"TEXT"\}\]\}\n\["c"\]\n\{"end":\{"rowCount":1,/) })
    const script = join(folder, 'script.sql')
    await writeFile(script, "SELECT 'é' AS x")
    expect(await runHere(['sql', script, '--data-dir', folder, '--format', 'csv'])).toEqual({ code: 0, out: 'x\r\né\r\n', err: '' })
    expect(await runHere(['sql', '--data-dir', folder], Buffer.from([0x27, 0xff, 0x27]))).toMatchObject({ code: 1, err: 'lsmt: the script is not valid UTF-8\n' })
    await writeFile(script, Buffer.from([0x27, 0xff, 0x27]))
    expect(await runHere(['sql', script, '--data-dir', folder])).toMatchObject({ code: 1, err: 'lsmt: the script is not valid UTF-8\n' })
    expect(await runHere(['sql', `${script}.none`, '--data-dir', folder])).toMatchObject({ code: 3, err: `lsmt: cannot open ${script}.none: there is no such file\n` })
  })
})

/** `script` of util-linux gives a process a terminal. */
const hasTerminal = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0

interface Terminal {
  readonly child: ChildProcess
  type(text: string): void
  /** Resolves when the pattern was shown since the last time. */
  see(pattern: RegExp): Promise<string>
  readonly exited: Promise<number | null>
}

function onTerminal(command: string, environment: Readonly<Record<string, string>>): Terminal {
  const child = endingWithFile(spawn('script', ['-qefc', command, '/dev/null'], { env: { PATH: process.env['PATH'], TERM: 'xterm', ...environment }, stdio: ['pipe', 'pipe', 'inherit'] }))
  let shown = ''
  let look = (): void => {}
  child.stdout.on('data', (chunk: Buffer) => {
    shown += chunk.toString()
    look()
  })
  return {
    child,
    type: (text) => void child.stdin.write(text),
    see: (pattern) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`not seen: ${pattern} in ${JSON.stringify(shown)}`)), 30_000)
        look = () => {
          const found = pattern.exec(shown)
          if (found === null) return
          clearTimeout(timer)
          look = () => {}
          const text = shown.slice(0, found.index + found[0].length)
          shown = shown.slice(text.length)
          resolve(text)
        }
        look()
      }),
    exited: new Promise((resolve) => child.once('close', resolve)),
  }
}

test.skipIf(!hasTerminal)('the shell on a terminal: several lines, completion, commands, Ctrl-C, history', async () => {
  await withFolder(async (folder) => {
    const server = await serveHere(folder)
    await query(server.url, `CREATE TABLE numbers (id BIGINT PRIMARY KEY); INSERT INTO numbers VALUES ${Array.from({ length: 1000 }, (_, i) => `(${i})`).join(',')}`)
    const history = join(folder, 'history')
    const terminal = onTerminal(`${process.execPath} ${mainFile} sql --url ${server.url}`, { LSMT_HISTORY: history })
    await terminal.see(/lsmt> /)
    terminal.type('select count(*)\r')
    await terminal.see(/ {3}-> /)
    // What arrives in one piece is pasted: its tabs are tabs.
    terminal.type('from numb')
    await terminal.see(/from numb/)
    terminal.type('\t')
    await terminal.see(/ers/)
    terminal.type(';\r')
    expect(await terminal.see(/\(1 row\)[^]*lsmt> /)).toMatch(/ {3}1000\r\n/)
    terminal.type('\\d numbers\r')
    await terminal.see(/id +\| BIGINT[^]*CREATE TABLE[^]*lsmt> /)
    terminal.type('select 1/0;\r')
    await terminal.see(/division by zero at character 8\r\n[^]*lsmt> /)
    terminal.type('select count(*) from numbers a, numbers b, numbers c where a.id + b.id + c.id < 0;\r')
    await new Promise((resolve) => setTimeout(resolve, 500))
    terminal.type('\x03')
    await terminal.see(/the statement was cancelled\r\n[^]*lsmt> /)
    terminal.type('select half')
    await terminal.see(/select half/)
    terminal.type('\x03')
    await terminal.see(/lsmt> /)
    terminal.type('\\timing\r')
    await terminal.see(/timing is on[^]*lsmt> /)
    terminal.type('select 2;\r')
    await terminal.see(/Time: [\d.]+ ms[^]*lsmt> /)
    terminal.type('\\q\r')
    expect(await terminal.exited).toBe(0)
    expect((await readFile(history, 'utf8')).split('\n')).toEqual(expect.arrayContaining(['select count(*)', 'from numbers;', 'select 2;', '\\q']))
    await server.stop()
  })
})
