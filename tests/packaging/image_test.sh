#!/usr/bin/env bash
# Runs the container image as an operator would: without root, without
# capabilities, on a root that cannot be written; then what docker/compose.yaml
# says, with a real Consul and a client. `./dev image test` runs it.
#
# usage: image_test.sh IMAGE BASE CONSUL WORKING_DIRECTORY
#
# BASE is an image with a shell and getent; CONSUL a binary of Consul. The
# containers are podman's, in networks made here. Needs root.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=statements.sh
source "$(dirname "${BASH_SOURCE[0]}")/statements.sh"

image=$1 base=$2 consul=$3 work=$4
compose=$(dirname "${BASH_SOURCE[0]}")/../../docker/compose.yaml
hardened=(--read-only --read-only-tmpfs=false --cap-drop=ALL
  --security-opt=no-new-privileges)
podman() { command podman --log-level=fatal "$@"; }
containers=()
nets=()

clean_up() {
  trap - EXIT
  ((${#containers[@]} == 0)) || podman rm -f -t 0 "${containers[@]}" >/dev/null
  podman volume rm -f dnsd-test >/dev/null 2>&1 || true
  local net
  for net in "${nets[@]}"; do ip netns del "$net"; done
}
trap clean_up EXIT

# network NAME [ADDRESS]: a namespace; with an address, on the bridge that the
# first such one makes.
network() {
  local net=dnsd-$$-$1
  ip netns add "$net"
  nets+=("$net")
  ip -n "$net" link set lo up
  [[ -n ${2:-} ]] || return 0
  if [[ -z ${bridge:-} ]]; then
    bridge=dnsd-$$-bridge
    ip netns add "$bridge"
    nets+=("$bridge")
    ip -n "$bridge" link add br0 type bridge
    ip -n "$bridge" link set br0 up
  fi
  ip -n "$bridge" link add "$1" type veth peer name eth0 netns "$net"
  ip -n "$bridge" link set "$1" master br0 up
  ip -n "$net" addr add "$2/24" dev eth0
  ip -n "$net" link set eth0 up
}

# start NAME NETWORK ARGS...: a container of podman's.
start() {
  local name=$1 net=$2
  shift 2
  containers+=("dnsd-$$-$name")
  podman run -d --name "dnsd-$$-$name" \
    --network="ns:/run/netns/dnsd-$$-$net" "$@" >/dev/null
}
of() { podman inspect --format "$1" "dnsd-$$-$2"; }
log_of() { podman logs "dnsd-$$-$1" 2>&1; }
ask() { ip netns exec "dnsd-$$-$1" dig "${@:2}" +short +tries=1 +time=5; }
# answers NETWORK WHAT DIG-ARGS...
answers() { is "$(ask "$1" "${@:3}")" "$2"; }
logs() { has "$(log_of "$1")" "$2"; }
http() { ip netns exec "dnsd-$$-$1" curl -sSf "${@:2}"; }

echo "=== the image"
size=$(podman image inspect --format '{{.Size}}' "$image")
echo "    $((size / 1000000)) MB"
expect "it is less than 60 MB" test "$size" -lt 60000000
expect "its user is a number and not root's" \
  is "$(podman image inspect --format '{{.User}}' "$image")" 8600:8600
mounted=$(podman image mount "$image")
expect "nothing in it gives rights" is "$(find "$mounted" -xdev -perm /6000)" ""
expect "nobody's files but its state are writable" is "$(find "$mounted" -xdev \
  ! -type l \( ! -user 0 -o -perm /022 \) -printf '/%P ' | xargs)" /var/lib/dnsd
expect "it has no shell" is "$(find "$mounted" -name '*sh' -perm /111)" ""
expect "scanners find what is in it" grep -q '^Version: ' \
  "$mounted/var/lib/dpkg/status.d/libssl3"
expect "those of the web UI's libraries, too" \
  test -s "$mounted/usr/share/doc/dnsd/licenses.txt"
expect "and people the licences" \
  test -s "$mounted/usr/share/doc/libssl3/copyright"
podman image unmount "$image" >/dev/null

echo "=== alone"
network alone
start alone alone "${hardened[@]}" "$image"
expect "it answers" soon answers alone 192.0.2.13 \
  @127.0.0.1 -p 8600 v2.web.service.consul
expect "what stands in the demo" has \
  "$(ask alone @127.0.0.1 -p 8600 web.service.consul SRV)" \
  '^1 10 8080 c000020b\.addr\.dc1\.consul\.$'
expect "over TCP, too" has \
  "$(ask alone @127.0.0.1 -p 8600 +tcp web.service.consul)" '^192\.0\.2\.'
status=$(cat "/proc/$(of '{{.State.Pid}}' alone)/status")
expect "not as root" has "$status" $'^Uid:\t8600\t8600\t8600\t8600$'
expect "without a capability" has "$status" $'^CapEff:\t0000000000000000$'
expect "nor a way to one" has "$status" $'^CapBnd:\t0000000000000000$'
expect "without new privileges" has "$status" $'^NoNewPrivs:\t1$'
expect "its root is read-only" has \
  "$(cat "/proc/$(of '{{.State.Pid}}' alone)/mounts")" '^[^ ]+ / [^ ]+ ro,'
expect "it is healthy" podman healthcheck run "dnsd-$$-alone"
expect "it ends when it is told to" podman stop -t 10 "dnsd-$$-alone"
expect "as one that was told to" is "$(of '{{.State.ExitCode}}' alone)" 0
network deaf
start deaf deaf "${hardened[@]}" "$image" agent -http-port=-1
expect "without HTTP it is not healthy" not podman healthcheck run "dnsd-$$-deaf"

echo "=== with state"
network state
volume=(--volume=dnsd-test:/var/lib/dnsd)
start state state "${hardened[@]}" "${volume[@]}" "$image" \
  agent -data-dir=/var/lib/dnsd
expect "a service is registered" soon http state -X PUT \
  -d '{"Name": "kept", "Address": "192.0.2.3"}' \
  http://127.0.0.1:8500/v1/agent/service/register
podman stop -t 10 "dnsd-$$-state" >/dev/null
network again
start again again "${hardened[@]}" "${volume[@]}" "$image" \
  agent -data-dir=/var/lib/dnsd
expect "the next container on the volume knows it" \
  soon answers again 192.0.2.3 @127.0.0.1 -p 8600 kept.service.consul

echo "=== docker/compose.yaml"
expect "is valid" docker-compose -f "$compose" config -q
# "key value" lines of a service: command words, and what limits it.
say_service() {
  docker-compose -f "$compose" config | python3 -c '
import sys, yaml
service = yaml.safe_load(sys.stdin)["services"][sys.argv[1]]
value = service
for key in sys.argv[2].split("."):
    value = value[key]
for word in value if isinstance(value, list) else [value]:
    print(word)' "$@"
}
words() { mapfile -t said < <(say_service "$@"); }
words consul networks.names.ipv4_address
consul_ip=${said[0]}
words dnsd networks.names.ipv4_address
dnsd_ip=${said[0]}
network consul "$consul_ip"
network dnsd "$dnsd_ip"
network client "${dnsd_ip%.*}.3"

words consul command
start consul consul --volume="$consul:/usr/bin/consul:ro" "$base" \
  consul "${said[@]}"
expect "Consul is there" soon http consul -o "$work/leader" \
  http://127.0.0.1:8500/v1/catalog/service/web
words dnsd cap_drop
limits=("${said[@]/#/--cap-drop=}")
words dnsd security_opt
limits+=("${said[@]/#/--security-opt=}")
words dnsd read_only
limits+=("--read-only=${said[0]}" --read-only-tmpfs=false)
# The sysctl is of the network, which is not podman's here.
words dnsd sysctls
expect "it may bind what it has to" ip netns exec "dnsd-$$-dnsd" python3 -c '
import ast, sys
for key, value in ast.literal_eval(sys.argv[1]).items():
    path = "/proc/sys/" + key.replace(".", "/")
    with open(path, "w") as file:
        file.write(str(value))' "${said[0]}"
words dnsd command
start dnsd dnsd "${limits[@]}" --volume=dnsd-test:/var/lib/dnsd \
  --add-host="consul:$consul_ip" "$image" "${said[@]}"
expect "dnsd answers from Consul on port 53" \
  soon answers client 192.0.2.80 "@$dnsd_ip" web.service.consul
expect "it is healthy" podman healthcheck run "dnsd-$$-dnsd"
words client dns
server=${said[0]}
words client command
start client client --dns="$server" "$base" "${said[@]}"
expect "the client knows the service" soon logs client '^192\.0\.2\.80 '
podman stop -t 5 "dnsd-$$-consul" >/dev/null
expect "and goes on knowing it when Consul has gone" \
  answers client 192.0.2.80 "@$dnsd_ip" web.service.consul
expect "which is no illness of dnsd's" podman healthcheck run "dnsd-$$-dnsd"

clean_up
conclude
