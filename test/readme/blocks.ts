/** The code blocks of README.md as tests run them: programs, shell commands with the output that is printed under them, and JSON. */

export interface ShellCommand {
  readonly command: string
  /** What must be printed; undefined where README says nothing of it. */
  readonly output: string | undefined
}

export type Block =
  | { readonly kind: 'program'; readonly line: number; readonly text: string }
  | { readonly kind: 'shell'; readonly line: number; readonly commands: readonly ShellCommand[] }
  /** The last line of output of the shell block before it. */
  | { readonly kind: 'answer'; readonly line: number; readonly text: string }

/** Throws for a block in a language that is not known here, since it would not be run. */
export function blocksOf(markdown: string): readonly Block[] {
  return [...markdown.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(({ 1: language, 2: text, index }): Block => {
    const line = markdown.slice(0, index).split('\n').length + 1
    switch (language!) {
      case 'ts':
        return { kind: 'program', line, text: text! }
      case '':
        return { kind: 'shell', line, commands: shellCommands(text!.trimEnd()) }
      case 'json':
        return { kind: 'answer', line, text: text!.trim() }
      default:
        throw new Error(`README.md:${line}: nothing runs blocks of ${language}`)
    }
  })
}

/** A transcript has its commands after `$ `, with output up to the next one; without any, the block is one script. */
function shellCommands(text: string): readonly ShellCommand[] {
  if (!text.startsWith('$ ')) return text.split(/\n(?=\S)/).map((command) => ({ command, output: undefined })).reduce(joinContinued, [])
  return text.split(/^\$ /m).slice(1).map((part) => {
    const lines = part.trimEnd().split('\n')
    const end = lines.findIndex((line) => !line.endsWith('\\')) + 1
    const output = lines.slice(end).join('\n')
    return { command: lines.slice(0, end).join('\n'), output: output === '' ? undefined : output }
  })
}

/** A line after one that ends in a backslash belongs to it. */
function joinContinued(commands: readonly ShellCommand[], next: ShellCommand): readonly ShellCommand[] {
  const last = commands.at(-1)
  return last?.command.endsWith('\\') === true ? [...commands.slice(0, -1), { command: `${last.command}\n${next.command}`, output: undefined }] : [...commands, next]
}

/** Output as printed, where `…` stands for anything and times for any time. */
export function outputPattern(printed: string): RegExp {
  const escaped = printed.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
  return new RegExp(`^${escaped.replaceAll('…', '.*').replaceAll(/(?<=Ms":)[\d\\.]+/g, String.raw`[\d.]+`)}$`)
}
