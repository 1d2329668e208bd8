/** Flags without a value. Their variables have one, which commander would not read: it takes any, `0` too, for yes. */
import { InvalidArgumentError, Option } from 'commander'
import type { Command } from 'commander'
import { variableOf } from './flags.ts'

/** `--json` has LSMT_JSON; of a flag that other commands may use for something else the variable names the command: LSMT_EXPORT_FORCE. */
export function switchOption(flags: string, help: string, command?: string): Option {
  const option = new Option(flags, help)
  return option.env(variableOf(command === undefined ? option.name() : `${command}-${option.name()}`))
}

export function jsonOption(help: string): Option {
  return switchOption('--json', help)
}

/** Gives the switches of a command what their variables say, unless they stand on the command line. */
export function readSwitchVariables(command: Command, environment: Readonly<Record<string, string | undefined>>): void {
  for (const option of command.options) {
    if (option.envVar === undefined || !(option.negate || option.isBoolean())) continue
    const attribute = option.attributeName()
    if (command.getOptionValueSource(attribute) === 'cli') continue
    const isOn = isYes(environment[option.envVar], option)
    if (isOn === undefined) command.setOptionValueWithSource(attribute, option.negate ? true : undefined, 'default')
    else command.setOptionValueWithSource(attribute, isOn !== option.negate, 'env')
  }
}

/** undefined when the variable is not set, or to nothing. */
function isYes(value: string | undefined, { long, envVar }: Option): boolean | undefined {
  switch (value?.toLowerCase()) {
    case undefined:
    case '':
      return undefined
    case '1':
    case 'true':
    case 'yes':
      return true
    case '0':
    case 'false':
    case 'no':
      return false
    default:
      throw new InvalidArgumentError(`${envVar} is '${value}', which stands for ${long}; expected 1, true or yes, or 0, false or no`)
  }
}
