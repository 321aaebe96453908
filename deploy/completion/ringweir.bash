# bash completion for ringweir(1)
_ringweir() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
  local -a path=()
  local i
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case ${COMP_WORDS[i]} in
      -*) ;;
      *) [ ${#path[@]} -lt 2 ] && path+=("${COMP_WORDS[i]}") ;;
    esac
  done

  case $before in
    --config | --file) mapfile -t COMPREPLY < <(compgen -f -- "$word"); compopt -o filenames; return ;;
    -o | --output) mapfile -t COMPREPLY < <(compgen -W "table json" -- "$word"); return ;;
    --algorithm) mapfile -t COMPREPLY < <(compgen -W "MD5 SHA-256 SHA-512-256" -- "$word"); return ;;
    --admin) mapfile -t COMPREPLY < <(compgen -W "127.0.0.1:8080" -- "$word"); return ;;
    --password | --realm | --ha1 | --username | --count | --explain | --call-id | --from | --to | --source | --interval) return ;;
  esac

  local words=""
  case "${path[*]}" in
    "") words="serve check doctor reg users digest trace upstream top reload status --help --version" ;;
    serve) words="--config --lab --help" ;;
    check*) words="--explain --call-id --from --to --source --output --help" ;;
    doctor) words="--config --output --help" ;;
    reg) words="ls show --help" ;;
    "reg ls"* | "reg show"*) words="--admin --config --output --help" ;;
    users) words="ls add --help" ;;
    "users ls"*) words="--admin --config --output --help" ;;
    "users add"*) words="--password --file --realm --algorithm --help" ;;
    digest) words="explain --help" ;;
    "digest explain"*) words="--password --ha1 --username --output --help" ;;
    trace) words="tail call record --help" ;;
    "trace tail"*) words="--verbose --count --admin --config --output --help" ;;
    "trace call"*) words="--verbose --admin --config --output --help" ;;
    "trace record"*) words="on off --admin --config --help" ;;
    upstream) words="ls drain undrain why --help" ;;
    "upstream ls"* | "upstream why"*) words="--admin --config --output --help" ;;
    "upstream drain"* | "upstream undrain"*) words="--admin --config --help" ;;
    top) words="--once --interval --admin --config --help" ;;
    reload) words="--admin --config --help" ;;
    status) words="--admin --config --output --help" ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
  case "${path[*]}" in
    check* | "digest explain"*)
      [[ $word == -* ]] && return
      mapfile -t COMPREPLY < <(compgen -f -- "$word")
      compopt -o filenames
      ;;
  esac
}
complete -F _ringweir ringweir
