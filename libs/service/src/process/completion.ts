import { flagOf } from '../config/names.ts'
import type { Command } from './command.ts'

const common = ['--help', '--version', '--config', '--print-config']

/** The words that can be typed after a command: its flags, and `--no-...` for switches. */
function flagsOf({ definition: { options } }: Command): string[] {
  const own = Object.entries(options).flatMap(([name, { kind }]) => {
    return kind === 'flag' ? [`--${flagOf(name)}`, `--no-${flagOf(name)}`] : [`--${flagOf(name)}`]
  })
  return [...own, ...common]
}

/**
 * A script for bash, which zsh takes too after `bashcompinit`: completes commands, and flags of the command that was typed.
 * Flags that take a value are followed by file names. Used as `source <(counter completion)`.
 */
export function completionScript(
  name: string,
  commands: Readonly<Record<string, Command>>,
  defaultCommand: string,
): string {
  const fn = `_${name.replaceAll('-', '_')}_complete`
  const words = [...Object.keys(commands), 'completion']
  const cases = Object.entries(commands).map(
    ([word, command]) => `    ${word}) flags="${flagsOf(command).join(' ')}" ;;`,
  )
  const fallback = commands[defaultCommand]
  const others = fallback === undefined ? common : flagsOf(fallback)
  return `# Shell completion of ${name}: source <(${name} completion)
${fn}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" flags
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
    *) flags="${others.join(' ')}" ;;
  esac
  if [[ "$current" == -* ]]; then COMPREPLY=($(compgen -W "$flags" -- "$current"))
  elif [[ "$COMP_CWORD" == 1 ]]; then COMPREPLY=($(compgen -W "${words.join(' ')}" -- "$current"))
  else COMPREPLY=($(compgen -f -- "$current")); fi
}
complete -F ${fn} ${name}
`
}
