#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The sensor as a service: readiness, watchdog, reload, privileges given up, and
# the files of docs/deploy.
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$SRC/tests/e2e/lib.sh"

# ---- readiness and signs of life ---------------------------------------------------
python3 - "$PWD/notify" >told 2>&1 <<'PY' &
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
s.settimeout(20)
while True:
    state = s.recv(4096).decode()
    print(state, flush=True)
    if state.startswith("STOPPING"):
        break
PY
listener=$!
for _ in $(seq 100); do [ -S notify ] && break || sleep 0.05; done
NOTIFY_SOCKET=$PWD/notify WATCHDOG_USEC=400000 sensor --interval 100ms --meter null --to out.jsonl 2>err &
sensor=$!
trap 'kill $sensor $listener 2>/dev/null || true' EXIT
for _ in $(seq 100); do grep -q READY=1 told && break || sleep 0.05; done
[ "$(head -n 1 told)" = READY=1 ] || die "not ready: $(cat told err)"
sleep 1
[ "$(grep -c WATCHDOG=1 told)" -ge 2 ] || die "no signs of life: $(cat told)"

# ---- what it may still do ------------------------------------------------------------
kept=$(sed -n 's/^CapPrm:\t*//p' "/proc/$sensor/status")
# CAP_PERFMON is 38, CAP_BPF 39.
[ $((0x$kept & ~0xc000000000)) -eq 0 ] || die "capabilities are left: $kept"

# ---- reload, and the end ---------------------------------------------------------------
kill -HUP $sensor
sleep 0.3
has err '^reload   0 targets at the moment'
kill -TERM $sensor
status=0
wait $sensor || status=$?
[ $status -eq 0 ] || die "status $status: $(cat err)"
wait $listener
[ "$(tail -n 1 told)" = STOPPING=1 ] || die "it does not say that it ends"
# A manager that is gone is no fault.
NOTIFY_SOCKET=$PWD/nowhere sensor -q --interval 50ms --duration 100ms --meter null --to null:

# --keep-privileges keeps them.
sensor -q --keep-privileges --interval 50ms --meter null --to null: &
sensor=$!
sleep 0.4
[ "$(sed -n 's/^CapPrm:\t*//p' "/proc/$sensor/status")" = "$(sed -n 's/^CapPrm:\t*//p' /proc/self/status)" ] ||
	die "--keep-privileges does not"
kill -TERM $sensor
wait $sensor || die "status $?"

# ---- the unit and its companions ----------------------------------------------------------
deploy=$SRC/docs/deploy
if command -v systemd-analyze >/dev/null; then
	sed "s|/usr/local/bin/sensor|$BIN/sensor|" "$deploy/fedwatts-sensor.service" >fedwatts-sensor.service
	systemd-analyze verify ./fedwatts-sensor.service >verify 2>&1 || true
	# What else is wrong with this machine's units is not ours.
	if grep fedwatts-sensor verify | grep -vE 'man sensor|Failed to (create|connect)'; then die "the unit: see above"; fi
fi
python3 -c 'import yaml' 2>/dev/null && python3 - "$deploy/kubernetes-daemonset.yaml" <<'PY'
import sys, yaml
kinds = [d["kind"] for d in yaml.safe_load_all(open(sys.argv[1]))]
assert kinds == ["Namespace", "DaemonSet"], kinds
PY
# The options that the examples use are there.
options=$(grep -ohE -- '^ +- --[a-z-]+' "$deploy/kubernetes-daemonset.yaml" | grep -oE -- '--.*' | sort -u)
sensor --help >help
for option in $options --config; do
	grep -qE -- "$option\b" help || die "docs/deploy uses $option, which is no option"
done

# ---- completion ----------------------------------------------------------------------------
# shellcheck source=docs/completion/fedwatts.bash
. "$SRC/docs/completion/fedwatts.bash"
completes() {
	local want=$1
	shift
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
	_fedwatts
	printf '%s\n' "${COMPREPLY[@]}" | grep -qx -- "$want" || die "'$*' is not completed to '$want': ${COMPREPLY[*]}"
}
completes doctor sensor doc
completes --interval sensor --int
completes clock sensor --engine cl
completes perf sensor --engine = p
completes meters sensor list m
completes --match sensor list --ma
completes predict bench pre
completes --rounds fl run --rou
COMP_WORDS=(sensor -- --int) COMP_CWORD=2
_fedwatts
[ ${#COMPREPLY[@]} -eq 0 ] || die "behind -- it completes: ${COMPREPLY[*]}"
