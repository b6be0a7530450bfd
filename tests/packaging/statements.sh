# shellcheck shell=bash
# statements.sh, sourced: a test is a list of statements that hold or do not.

failures=0

# expect WHAT COMMAND...: one line; with what the command said where it fails.
expect() {
  local what=$1 output
  shift
  if output=$("$@" 2>&1); then
    echo "ok: $what"
  else
    echo "FAILED: $what"
    printf '    %s\n' "$*" "$output"
    failures=$((failures + 1))
  fi
}

# The last line, and the exit code.
conclude() {
  ((failures == 0)) || {
    echo "FAILED: $failures statements"
    exit 1
  }
  echo "all statements hold"
}

not() { ! "$@"; }
is() {
  [[ $1 == "$2" ]] && return
  echo "'$1' is not '$2'"
  return 1
}
has() {
  grep -qE -- "$2" <<<"$1" && return
  printf 'no %s in:\n%s\n' "$2" "$1"
  return 1
}

# soon COMMAND...: whether it succeeds within 20 seconds.
soon() {
  local output deadline=$((SECONDS + 20))
  until output=$("$@" 2>&1); do
    if ((SECONDS >= deadline)); then
      echo "$output"
      return 1
    fi
    sleep 0.2
  done
}
