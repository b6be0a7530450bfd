#!/usr/bin/env bash
# Installs, upgrades, removes and purges the Debian package on a machine of its
# own that has nothing but Debian's minimum, with systemd as its process 1, and
# looks at what it leaves. `./dev package test` runs it.
#
# usage: deb_test.sh BASE.tar OLD.deb NEW.deb WORKING_DIRECTORY
#
# Needs root, and Debian's mirror for what the package depends on.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=statements.sh
source "$(dirname "${BASH_SOURCE[0]}")/statements.sh"
# shellcheck source-path=SCRIPTDIR source=booted_root.sh
source "$(dirname "${BASH_SOURCE[0]}")/booted_root.sh"

base=$1 old=$2 new=$3 root=$4/root
readme=$(dirname "${BASH_SOURCE[0]}")/../../docker/README.md

in_root() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"; }
mode() { stat -c '%a %u:%g' "$root$1"; }
ask() { in_its_network dig "@${server:-127.0.0.1}" +short +tries=1 +time=5 "$@"; }
main_pid() { inside systemctl show -P MainPID dnsd; }
answered() { is "$(ask "${@:2}")" "$1"; }
# What systemd says of a property of the service.
shows() { is "$(inside systemctl show -P "$1" dnsd)" "$2"; }
# Whether a name answers what it should, soon.
answers() { soon answered "$@"; }
# What docker/README.md has below the comment "tested: deb_test.sh, NAME".
documented() {
  awk -v mark="<!-- tested: deb_test.sh, $1 -->" '
    $0 == mark { found = 1; next }
    found && /^```/ { if (inside) exit; inside = 1; next }
    inside { print }' "$readme" | grep .
}
# Runs that, command by command: dig is no program of the machine.
does_what_is_documented() {
  local commands command
  mapfile -t commands < <(documented "$1")
  ((${#commands[@]})) || return 1
  for command in "${commands[@]}"; do
    if [[ $command == dig* ]]; then
      in_its_network bash -c "$command" || return 1
    else
      inside bash -c "$command" </dev/null || return 1
    fi
  done
}

rm -rf "$root"
mkdir -p "$root"
tar -xf "$base" -C "$root"
cp "$old" "$root/old.deb"
cp "$new" "$root/new.deb"
cp -L /etc/resolv.conf "$root/etc/resolv.conf"

echo "=== install, where no systemd runs"
in_root apt-get -qq update
in_root apt-get -qq -y --no-install-recommends install ./old.deb \
  >"$root.install.log" 2>&1 || {
  cat "$root.install.log"
  exit 1
}
gid=$(in_root getent group dnsd | cut -d: -f3)
uid=$(in_root id -u dnsd)
expect "the user is a system user" test "$uid" -lt 1000 -a "$uid" -gt 0
expect "who cannot log in" \
  has "$(in_root getent passwd dnsd)" ':/usr/sbin/nologin$'
expect "its files are what was packed" is "$(in_root dpkg --verify dnsd)" ""
expect "others do not read the configuration" \
  is "$(mode /etc/dnsd.d)" "750 0:$gid"
expect "nor a file of it" is "$(mode /etc/dnsd.d/dnsd.hcl)" "640 0:$gid"
expect "nor the environment" is "$(mode /etc/default/dnsd)" "640 0:$gid"
expect "both are conffiles" is "$(in_root dpkg-query -W \
  -f '${Conffiles}\n' dnsd | awk 'NF { print $1 }' | sort | xargs)" \
  "/etc/default/dnsd /etc/dnsd.d/dnsd.hcl"
expect "the service is enabled" \
  test -L "$root/etc/systemd/system/multi-user.target.wants/dnsd.service"
expect "the configuration is valid" in_root dnsd validate /etc/dnsd.d

echo "=== a machine"
rm "$root/etc/resolv.conf"
boot_root "$root"
expect "the service runs after a boot" \
  is "$(inside systemctl is-active dnsd)" active
expect "DNS answers" has "$(ask -p 8600 SOA consul)" '^ns\.consul\.'
expect "systemd knows that it is ready" \
  soon shows StatusText Ready
expect "and watches it" shows WatchdogUSec 30s
expect "it says so itself" inside dnsd health -ready -dns-addr=127.0.0.1:8600
expect "a first look is as the README has it" \
  does_what_is_documented "first look"

sed -i 's/^#ports .*/ports { dns = 53 }/; s/^#addresses .*/addresses { dns = "0.0.0.0" }/' \
  "$root/etc/dnsd.d/dnsd.hcl"
cat >"$root/etc/dnsd.d/web.hcl" <<'HCL'
service { name = "web", port = 80, address = "192.0.2.1" }
HCL
# Whoever writes a file there by hand gives it to the group.
chown 0:"$gid" "$root/etc/dnsd.d/web.hcl"
chmod 640 "$root/etc/dnsd.d/web.hcl"
expect "it restarts" inside systemctl restart dnsd
expect "port 53 is bound, by no root" answers 192.0.2.1 web.service.consul
status=$(inside cat "/proc/$(main_pid)/status")
expect "as the user dnsd" has "$status" "^Uid:[[:space:]]${uid}[[:space:]]${uid}"
expect "with CAP_NET_BIND_SERVICE and no other capability" \
  has "$status" '^CapEff:[[:space:]]0000000000000400$'
expect "which bounds it, too" \
  has "$status" '^CapBnd:[[:space:]]0000000000000400$'
expect "without new privileges" has "$status" '^NoNewPrivs:[[:space:]]1$'
expect "with a filter of system calls" has "$status" '^Seccomp:[[:space:]]2$'
# A machine that is itself a container may have fewer to give.
files=$(ulimit -Hn)
[[ $files != unlimited ]] && ((files < 524288)) || files=524288
expect "with many descriptors" has \
  "$(inside cat "/proc/$(main_pid)/limits")" "^Max open files +$files +$files "
expect "what it may write is its state" is "$(nsenter --target \
  "$(pgrep -P "$(pgrep -P "$booted_unshare")" -x dnsd)" --mount --root \
  bash -c 'for d in / /etc /usr /home /root /var/log /var/lib /var/lib/dnsd /tmp
           do touch $d/.probe 2>/dev/null && rm $d/.probe && echo $d
           done' | xargs)" "/var/lib/dnsd /tmp"
exposure=$(inside systemd-analyze security dnsd --no-pager | tail -n 1)
echo "    $exposure"
expect "systemd's own verdict is 1.6 or better" \
  inside systemd-analyze security --threshold=16 --no-pager dnsd
log=$(inside journalctl -q -u dnsd --no-pager)
expect "its log is the journal" has "$log" '\[INFO\]  agent: dnsd agent running'
expect "with no warning in it" not has "$log" '\[(WARN|ERROR)\]'

sed -i 's/192\.0\.2\.1/192.0.2.2/' "$root/etc/dnsd.d/web.hcl"
expect "it reloads, as the README has it" \
  does_what_is_documented "new configuration"
expect "and is active again" \
  soon shows ActiveState active
expect "and answers what is new" answers 192.0.2.2 web.service.consul
expect "a service is registered over HTTP" in_its_network curl -sSf -X PUT \
  -d '{"Name": "kept", "Port": 1, "Address": "192.0.2.3"}' \
  http://127.0.0.1:8500/v1/agent/service/register
expect "and known" answers 192.0.2.3 kept.service.consul
cp "$root/etc/dnsd.d/web.hcl" "$root/saved.hcl"
echo 'no_such_key = 1' >>"$root/etc/dnsd.d/web.hcl"
before=$(main_pid)
inside systemctl reload dnsd || true
expect "a bad configuration changes nothing by a reload" \
  answers 192.0.2.2 web.service.consul
expect "nor is it restarted" is "$(main_pid)" "$before"
expect "a restart with it fails" not inside systemctl restart dnsd
cat "$root/saved.hcl" >"$root/etc/dnsd.d/web.hcl"
rm "$root/saved.hcl"
inside systemctl reset-failed dnsd
expect "and works again without it" inside systemctl restart dnsd
expect "what was registered is kept" answers 192.0.2.3 kept.service.consul

echo "=== a socket that systemd keeps"
expect "its socket is enabled, as the README has it" \
  does_what_is_documented socket
inside systemctl stop dnsd.service
expect "and starts it when somebody asks" answers 192.0.2.2 web.service.consul
expect "it took what it was passed" has "$(inside journalctl -q -u dnsd \
  --no-pager | grep 'Started DNS' | tail -n 1)" 'address=127\.0\.0\.1:53'
mkdir -p "$root/etc/systemd/system/dnsd.socket.d"
documented "two workers" >"$root/etc/systemd/system/dnsd.socket.d/two.conf"
in_its_network ip addr add 192.0.2.5/32 dev lo
inside systemctl daemon-reload
inside systemctl stop dnsd.service dnsd.socket
expect "an address that is listed twice makes two workers" \
  inside systemctl start dnsd.socket dnsd.service
expect "which is what it says" has "$(in_its_network curl -sS \
  http://127.0.0.1:8500/health)" 'dnsd-w1'
server=192.0.2.5 expect "and they answer" answers 192.0.2.2 web.service.consul
inside systemctl stop dnsd.service
inside systemctl disable --now dnsd.socket
rm -r "$root/etc/systemd/system/dnsd.socket.d"
inside systemctl daemon-reload
expect "without the socket it binds its own" inside systemctl start dnsd
expect "as before" answers 192.0.2.2 web.service.consul

echo "=== upgrade"
before=$(main_pid)
expect "it upgrades" inside env DEBIAN_FRONTEND=noninteractive dpkg -i /new.deb
expect "to the new version" is \
  "$(inside dpkg-query -W -f '${Version}' dnsd)" "$(dpkg-deb -f "$new" Version)"
expect "which is another process" not is "$(main_pid)" "$before"
expect "a changed conffile stays" \
  grep -q '^ports { dns = 53 }' "$root/etc/dnsd.d/dnsd.hcl"
expect "so does what was registered" answers 192.0.2.3 kept.service.consul
expect "others still do not read the configuration" \
  is "$(mode /etc/dnsd.d/dnsd.hcl)" "640 0:$gid"

echo "=== remove, and install again"
expect "it is removed" inside dpkg -r dnsd
expect "and runs no more" not inside systemctl is-active dnsd
expect "the configuration stays" test -e "$root/etc/dnsd.d/dnsd.hcl"
expect "what was registered stays" test -e "$root/var/lib/dnsd/registry.db"
expect "it comes back" inside dpkg -i /new.deb
expect "and answers as before" answers 192.0.2.3 kept.service.consul

echo "=== purge"
rm "$root/etc/dnsd.d/web.hcl"  # ours, not the package's
expect "it is purged" inside dpkg -P dnsd
expect "nothing of it runs" is "$(pgrep -P "$booted_pid" -x dnsd)" ""
expect "nothing of it is left" is "$(find "$root" -xdev \
  \( -path "$root/proc" -o -path "$root/sys" \) -prune -o \
  -name '*dnsd*' ! -name 'dnsdomainname*' -print | sort | xargs)" ""
expect "but the user, whose number may be on other files" \
  inside getent passwd dnsd
halt_root
rm -rf "$root"

conclude
