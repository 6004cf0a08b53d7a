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

/** By flag, the words that it takes: of all commands, as the same flag takes the same ones everywhere. */
function choicesOf(commands: readonly Command[]): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>()
  for (const { definition } of commands) {
    for (const [name, { kind, placeholder }] of Object.entries(definition.options)) {
      // A choice shows itself as <one|other>.
      if (kind === 'choice') found.set(`--${flagOf(name)}`, placeholder.slice(1, -1).split('|'))
    }
  }
  return found
}

/**
 * One script for bash and zsh: completes commands, flags of the command that was typed, and the words of flags that take one of a
 * few; whatever else is a file name. Used as `source <(counter completion)`.
 */
export function completionScript(
  name: string,
  commands: Readonly<Record<string, Command>>,
  defaultCommand: string,
): string {
  const fn = `_${name.replaceAll('-', '_')}_complete`
  const words = [...Object.keys(commands), 'completion'].join(' ')
  const fallback = commands[defaultCommand]
  const others = (fallback === undefined ? common : flagsOf(fallback)).join(' ')
  const flags = Object.entries(commands).map(
    ([word, command]) => `    ${word}) echo "${flagsOf(command).join(' ')}" ;;`,
  )
  const choices = [...choicesOf(Object.values(commands))].map(
    ([flag, each]) => `    ${flag}) echo "${each.join(' ')}" ;;`,
  )
  return `# Shell completion of ${name}, for bash and zsh: source <(${name} completion)
# ${fn}_words <command> <word before> <word> <its place>: what may stand there; nothing for a file name.
${fn}_words() {
  case "$2" in
${[...choices, '    *) false ;;'].join('\n')}
  esac && return
  case "$3" in
    -*) ;;
    *) [ "$4" = 1 ] && echo "${words}"; return ;;
  esac
  case "$1" in
${[...flags, `    *) echo "${others}" ;;`].join('\n')}
  esac
}
if [ -n "\${ZSH_VERSION-}" ]; then
  ${fn}() {
    local -a offered
    offered=($(${fn}_words "\${words[2]}" "\${words[CURRENT-1]}" "\${words[CURRENT]}" "$((CURRENT - 1))"))
    if (( \${#offered} )); then compadd -- "\${offered[@]}"; else _files; fi
  }
  type compdef >/dev/null 2>&1 || { autoload -Uz compinit && compinit; }
  compdef ${fn} ${name}
else
  ${fn}() {
    local current="\${COMP_WORDS[COMP_CWORD]}" offered
    offered=$(${fn}_words "\${COMP_WORDS[1]}" "\${COMP_WORDS[COMP_CWORD-1]}" "$current" "$COMP_CWORD")
    if [ -n "$offered" ]; then COMPREPLY=($(compgen -W "$offered" -- "$current"))
    else
      compopt -o filenames 2>/dev/null
      COMPREPLY=($(compgen -f -- "$current"))
    fi
  }
  complete -F ${fn} ${name}
fi
`
}
