# bash completion of dnsd. Verbs and options are what `dnsd ... -h` says, so
# that they are always those of the binary that is there.

_dnsd_verbs() {
  "$1" -h 2>&1 | awk '/^    [a-z]/ { print $1 }'
}

# _dnsd_subcommands DNSD VERB
_dnsd_subcommands() {
  "$1" "$2" -h 2>&1 |
    awk '/^Subcommands:/ { on = 1; next } on && /^    [a-z]/ { print $1 }'
}

# _dnsd_options DNSD VERB...: without values: "-flag value" is understood, too.
_dnsd_options() {
  "$@" -h 2>&1 | awk '/^  -/ { sub(/=.*/, "", $1); print $1 }'
}

_dnsd() {
  local dnsd=${COMP_WORDS[0]} current=${COMP_WORDS[COMP_CWORD]}
  local previous=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]-} words=
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    mapfile -t COMPREPLY < <(compgen -W "$(_dnsd_verbs "$dnsd")" -- "$current")
    return
  fi
  case $previous in
    -config-dir | -data-dir | -consul-ca-path | -ca-path | -root)
      mapfile -t COMPREPLY < <(compgen -d -- "$current")
      return
      ;;
    -*-file | -consul-client-* | -client-cert | -client-key | -write-config)
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      return
      ;;
    -log-level)
      words="trace debug info warn error"
      mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
      return
      ;;
  esac
  case $verb in
    catalog | services)
      if ((COMP_CWORD == 2)); then
        words=$(_dnsd_subcommands "$dnsd" "$verb")
      else
        words=$(_dnsd_options "$dnsd" "$verb" "${COMP_WORDS[2]}")
      fi
      ;;
    validate | version) ;;
    *) words=$(_dnsd_options "$dnsd" "$verb") ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  if ((${#COMPREPLY[@]} == 0)) && [[ $current != -* ]]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  fi
}

complete -o filenames -F _dnsd dnsd
