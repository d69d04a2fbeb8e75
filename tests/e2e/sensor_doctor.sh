#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# sensor doctor and sensor list: what this machine can do, for people and for
# programs.
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$SRC/tests/e2e/lib.sh"

export STATE_DIRECTORY=$PWD/state

status=0
sensor doctor >out || status=$?
[ $status -eq 0 ] || [ $status -eq 2 ] || die "status $status"
for what in machine hypervisor 'perf events' 'process clocks' 'hardware PMU' meter 'CPU time' 'stolen time' governor timer; do
	has out "^(ok|warn|BLOCKING) +$what "
done
if [ $status -eq 2 ]; then has out '^BLOCKING'; fi

status=0
sensor doctor --json >out || status=$?
python3 - $status <<'PY'
import json, sys
doc = json.load(open("out"))
assert doc["schema"] == "fedwatts.doctor/1" and doc["program"] == "sensor"
states = [f["state"] for f in doc["findings"]]
assert set(states) <= {"ok", "warn", "blocking"}, states
assert doc["blocking"] == states.count("blocking")
assert (int(sys.argv[1]) == 2) == (doc["blocking"] > 0)
assert all(f["what"] and f["says"] for f in doc["findings"])
PY

python3 "$SRC/tests/e2e/validate.py" "$SRC/docs/schema/doctor.schema.json" out

# Without permission perf events are a warning with a remedy, not an end.
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	paranoid=$(cat /proc/sys/kernel/perf_event_paranoid)
	cp "$BIN/sensor" unprivileged-sensor
	chmod 755 . unprivileged-sensor
	if [ "$paranoid" -ge 2 ] && setpriv --reuid 65534 --regid 65534 --clear-groups ./unprivileged-sensor --version >/dev/null 2>&1; then
		setpriv --reuid 65534 --regid 65534 --clear-groups ./unprivileged-sensor doctor >out
		has out '^warn +perf events +not permitted \(perf_event_paranoid'
		has out 'sudo sysctl kernel.perf_event_paranoid=1'
		setpriv --reuid 65534 --regid 65534 --clear-groups ./unprivileged-sensor --meter null -f 50 --duration 100ms --pid 1 >out 2>err
		has out '"target":"process:1:.*"engine":"clock"'
		fails 1 'of process 1: not permitted \(sudo sysctl' \
			setpriv --reuid 65534 --regid 65534 --clear-groups ./unprivileged-sensor --meter null --engine perf --pid 1
	fi
fi

sensor list meters >out
has out '^meter +works +what$'
has out '^model +yes '
sensor list meters --json >out
has out '"meter":"model","usable":true'

sensor list events >out
sed -n 2p out | grep -q PERF_COUNT_ || die "the kernel's events do not come first"
sensor list events --match '*TASK_CLOCK' >out
has out '^PERF_COUNT_SW_TASK_CLOCK +perf '
[ "$(wc -l <out)" -eq 2 ] || die "--match lets others through"

for pmu in /sys/bus/event_source/devices/*/events; do
	[ -d "$pmu" ] || continue
	name=$(basename "$(dirname "$pmu")")
	for event in "$pmu"/*; do
		case $event in *.* | */\*) continue ;; esac
		sensor list events --match "$name/$(basename "$event")/" >out
		has out "^$name/$(basename "$event")/ +$name "
		break
	done
done

sleep 5 &
pid=$!
sensor list targets >out
kill $pid
has out '^ *pid +CPU time +called +target$'
has out "^ *$pid +.*process:$pid:"
# A cgroup as a runtime makes it, where cgroups may be made.
base=$(awk '$3 == "cgroup" && $4 ~ /(^|,)perf_event(,|$)/ { v1 = $2 } $3 == "cgroup2" { v2 = $2 }
	END { print v1 ? v1 : v2 }' /proc/self/mounts)
id=$(printf 'fed%061d' $$)
if [ -n "$base" ] && mkdir "$base/docker-$id.scope" 2>/dev/null; then
	sensor list targets --match "/docker-$id*" >out || true
	sensor list targets --json --match "/docker-$id*" >json || true
	rmdir "$base/docker-$id.scope"
	has out "docker-$id.scope"
	has json "\"target\":\"/docker-$id.scope\",.*\"container_id\":\"$id\""
fi
sensor list targets --json --match 'no such name' >out
[ "$(cat out)" = '[]' ] || die "an empty list is not []"
