/** The command line: commands, flags, and one clear line on stderr for everything that is not as expected. */
import { Command, CommanderError } from 'commander'
import { addBackup } from './backup/backup-command.ts'
import { addRestore } from './backup/restore-command.ts'
import type { CommandFloor, FlagSource } from './command.ts'
import { describeFailure } from './failure.ts'
import { exitCode, exitCodeOf, exitCodesHelp } from './exit-code.ts'
import type { ExitCode } from './exit-code.ts'
import type { CliHost } from './host.ts'
import { addCluster } from './cluster/cluster-command.ts'
import { serveOptions } from './serve/serve-flags.ts'
import type { ServeFlags } from './serve/serve-flags.ts'
import { serve } from './serve.ts'
import { addInspect } from './inspect/inspect-command.ts'
import { addBench } from './operate/bench-command.ts'
import { addCheckpoint } from './operate/checkpoint-command.ts'
import { addCompact } from './operate/compact-command.ts'
import { addGc } from './operate/gc-command.ts'
import { addStatus } from './operate/status-command.ts'
import { addRepair } from './repair/repair-command.ts'
import { addSql } from './sql-shell/sql-command.ts'
import { addExport } from './transfer/export-command.ts'
import { addImport } from './transfer/import-command.ts'
import { readSwitchVariables } from './switches.ts'
import { addVerify } from './verify.ts'

/** Runs what the arguments say and resolves to the exit code. Never rejects. */
export async function runCommandLine(args: readonly string[], host: CliHost): Promise<number> {
  let code: ExitCode = exitCode.ok
  const program = createProgram(host, (result) => {
    code = result
  })
  try {
    assertKnown(program, args[0])
    await program.parseAsync([...args], { from: 'user' })
    return code
  } catch (error) {
    return reportError(error, host)
  }
}

/** Every command with its flags; `finish` is told what a command ends with. */
export function createProgram(host: CliHost, finish: (code: ExitCode) => void): Command {
  const program = new Command('lsmt').description('A log-structured merge-tree database').version(host.version)
  const output = { writeOut: (text: string) => host.printLine(text.trimEnd()), writeErr: () => {} }
  program.configureOutput(output).exitOverride()
  const serving = program.command('serve', { isDefault: true }).description('serve a database over HTTP (the default command)')
  serving.configureOutput(output).exitOverride()
  for (const option of serveOptions()) serving.addOption(option)
  serving.action(async (flags: ServeFlags) => {
    await serve(flags, (flag) => serving.getOptionValueSource(flag) as FlagSource, host)
  })
  program.hook('preAction', (_, command) => readSwitchVariables(command, host.environment))
  const floor: CommandFloor = { program, host, finish }
  addSql(floor)
  addImport(floor)
  addExport(floor)
  addBackup(floor)
  addRestore(floor)
  addVerify(floor)
  addRepair(floor)
  addInspect(floor)
  addStatus(floor)
  addCompact(floor)
  addGc(floor)
  addCheckpoint(floor)
  addCluster(floor)
  addBench(floor)
  program.addHelpText('after', () => `\n${exitCodesHelp}\n\n${serving.helpInformation()}`)
  return program
}

/** The default command takes no arguments, and would find too many where a command's name is not known. */
function assertKnown(program: Command, first: string | undefined): void {
  if (first === undefined || first.startsWith('-') || first === 'help' || program.commands.some((command) => command.name() === first)) return
  throw new CommanderError(1, 'commander.unknownCommand', `error: unknown command '${first}'`)
}

function reportError(error: unknown, host: CliHost): ExitCode {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exitCode.ok
    host.printError(`lsmt: ${error.message.replace(/^error: /, '').replaceAll(/\s*\n\s*/g, ' ')}${usageHint(error)}`)
    return exitCode.usage
  }
  host.printError(describeFailure(error))
  return exitCodeOf(error)
}

function usageHint(error: CommanderError): string {
  return error.code === 'commander.invalidArgument' ? '' : ' (lsmt --help lists what there is)'
}
