/**
 * The completion script of a program for bash, of any version from 3.2, without the bash-completion package that the script of
 * `@bomb.sh/tab` needs; and it evaluates nothing that stands on the command line. Where the program knows no word, files are completed.
 *
 * @param name of the program, which completes the words that follow `complete --`
 */
export function bashScript(name: string): string {
  const own = `_${name.replace(/\W/g, "_")}_complete`;
  return `# bash completion for ${name}
${own}() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" word line quoted
  local -a words=()
  # bash parts --flag=value at the sign.
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD}"; do
    [[ $word == "=" ]] || words+=("$word")
  done
  if [[ $cur == "=" ]]; then
    cur=""
    words+=("")
  fi
  COMPREPLY=()
  while IFS= read -r line; do
    word="\${line%%$'\\t'*}"
    if [[ $line != :* && $word == "$cur"* ]]; then
      printf -v quoted %q "$word"
      COMPREPLY+=("$quoted")
    fi
  done < <("\${1/#\\~/$HOME}" complete -- "\${words[@]}" 2>/dev/null)
}
complete -o bashdefault -o default -F ${own} ${name}`;
}
