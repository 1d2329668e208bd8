/** How commands are added to the program: each with its options, an example in its help, and an exit code. */
import type { Argument, Command, Option } from 'commander'
import type { ExitCode } from './exit-code.ts'
import { exitCodesHelp } from './exit-code.ts'
import type { CliHost } from './host.ts'

/** The program that commands are added to. */
export interface CommandFloor {
  readonly program: Command
  readonly host: CliHost
  readonly finish: (code: ExitCode) => void
}

export interface CommandSpec<Flags> {
  readonly name: string
  readonly arguments?: readonly Argument[]
  readonly description: string
  readonly options: readonly Option[]
  readonly examples: readonly string[]
  /** `sourceOf`: where a flag's value comes from, by its name as commander has it. */
  readonly run: (flags: Flags, args: readonly string[], sourceOf: (flag: string) => FlagSource) => Promise<ExitCode>
}

/** undefined where a flag has no value. */
export type FlagSource = 'cli' | 'env' | 'default' | undefined

export function addCommand<Flags>({ program, host, finish }: CommandFloor, spec: CommandSpec<Flags>): void {
  const command = program.command(spec.name).description(spec.description)
  command.configureOutput({ writeOut: (text) => host.printLine(text.trimEnd()), writeErr: () => {} }).exitOverride()
  for (const argument of spec.arguments ?? []) command.addArgument(argument)
  for (const option of spec.options) command.addOption(option)
  command.addHelpText('after', `\nExample${spec.examples.length > 1 ? 's' : ''}:\n${spec.examples.map((example) => `  ${example}`).join('\n')}\n\n${exitCodesHelp}`)
  command.action(async () => {
    finish(await spec.run(command.opts() as Flags, command.args, (flag) => command.getOptionValueSource(flag) as FlagSource))
  })
}
