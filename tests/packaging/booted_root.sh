# shellcheck shell=bash
# booted_root.sh, sourced: a directory with a Debian in it becomes a machine
# whose process 1 is systemd, in namespaces of its own: its network is one
# loopback interface, nothing of it is seen outside.
#
#   boot_root DIRECTORY     returns when the machine is up
#   inside COMMAND...       runs a command in it
#   in_its_network COMMAND  a program of the outside in its network
#   halt_root               ends it; also at the end of the script
#
# Needs root. Where a machine cannot be booted, boot_root says why and fails.

booted_pid=
booted_cgroup=
booted_unshare=

# What runs in the new namespaces, up to systemd. $1: the directory.
enter_root() {
  local root=$1 device
  mount --make-rprivate /
  mount --bind "$root" "$root"
  mount -t proc proc "$root/proc"
  mount -t sysfs -o ro sysfs "$root/sys"
  mount -t tmpfs tmpfs "$root/run"
  mount -t tmpfs -o mode=755 tmpfs "$root/dev"
  for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
  done
  mkdir "$root/dev/shm"
  mount -t tmpfs tmpfs "$root/dev/shm"
  ip link set lo up
  if [[ -n $2 ]]; then  # the old hierarchy, of systemd alone
    mount -t tmpfs tmpfs "$root/sys/fs/cgroup"
    mkdir "$root/sys/fs/cgroup/systemd"
    mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/systemd"
  else
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
  fi
  # Not chroot: services get mount tables of their own from here.
  mkdir "$root/dev/pts"
  mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
  ln -s pts/ptmx "$root/dev/ptmx"
  cd "$root" || return
  pivot_root . .
  umount -l .
  exec env -i container=test \
    PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system
}

boot_root() {
  local root=$1 old_hierarchy="" hierarchy=/sys/fs/cgroup state deadline
  if [[ -d /sys/fs/cgroup/systemd ]]; then
    old_hierarchy=yes
    hierarchy=/sys/fs/cgroup/systemd
  fi
  booted_cgroup=$hierarchy/dnsd-test-$$
  mkdir "$booted_cgroup" || return
  bash -c 'echo $BASHPID >"$1/cgroup.procs"
    exec unshare --pid --fork --kill-child --mount --uts --ipc --net --cgroup \
      bash -c "source \"\$1\"; set -e; enter_root \"\$2\" \"\$3\"" \
      booted "$2" "$3" "$4"' \
    boot "$booted_cgroup" "${BASH_SOURCE[0]}" "$root" "$old_hierarchy" \
    </dev/null >"$root.console" 2>&1 &
  booted_unshare=$!
  trap halt_root EXIT
  deadline=$((SECONDS + 120))
  while sleep 0.2; ((SECONDS < deadline)); do
    kill -0 "$booted_unshare" 2>/dev/null || break
    booted_pid=$(pgrep -P "$booted_unshare") || continue
    state=$(inside systemctl is-system-running 2>&1) || true
    case $state in running | degraded) return 0 ;; esac
  done
  echo "booted_root: no running system ($state):" >&2
  cat "$root.console" >&2
  return 1
}

inside() { nsenter --target "$booted_pid" --all --root --wd "$@"; }
in_its_network() { nsenter --target "$booted_pid" --net "$@"; }

halt_root() {
  trap - EXIT
  [[ -z $booted_unshare ]] || {
    kill -KILL "$booted_unshare"  # and with it process 1, and with that all
    wait "$booted_unshare" || true
  } 2>/dev/null
  local tries
  for ((tries = 0; tries < 50; ++tries)); do
    find "$booted_cgroup" -depth -type d -exec rmdir {} + 2>/dev/null || true
    [[ -d $booted_cgroup ]] || break
    sleep 0.1
  done
}
