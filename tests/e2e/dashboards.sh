#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Power reports as time series: a page for Prometheus and lines for InfluxDB,
# from one run of formula, against the text format's rules (promtool, where it
# is) and against what PowerAPI 2.10.0 makes of the same reports.
. "$SRC/tests/e2e/lib.sh"

helper=$SRC/tests/e2e/dashboards.py
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
# There is no curl in every Debian.
fetch() { python3 -c 'import sys, urllib.request; sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1]).read())' "$1"; }
wait_for() { # wait_for SECONDS CMD…
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || die "not in time: $*"
		sleep 0.1
	done
}

shown=$(free_port) taken=$(free_port)
python3 "$helper" serve "$taken" lines.txt &
server=$!
trap 'kill "$server" "${formula:-$server}" 2>/dev/null || true' EXIT

sensor -q --pid $$ --meter model:idle=5,cpu=8 --interval 100ms --duration 1s -n 'no,de 1' --to trace.jsonl
mkfifo stream
formula --idle none --idle uniform --to power.jsonl --to "prometheus:127.0.0.1:$shown" \
	--to "influx:http://127.0.0.1:$taken?bucket=powerapi&org=powerapi" <stream 2>formula.log &
formula=$!
exec 3>stream
cat trace.jsonl >&3
page_has() { fetch "http://127.0.0.1:$shown/metrics" | grep -q 'idle_policy="uniform"'; }
wait_for 10 page_has
# The last tick is held back until the stream goes on or ends.
sleep 0.5
cp power.jsonl power.then
fetch "http://127.0.0.1:$shown/metrics" >page.txt
exec 3>&-
wait "$formula" || die "formula ended with $?: $(cat formula.log)"

python3 "$helper" strict page.txt
if command -v promtool >/dev/null; then
	promtool check metrics <page.txt
	echo "promtool is content"
fi
[ "$(wc -l <lines.txt)" -eq "$(wc -l <power.jsonl)" ] || die "$(wc -l <lines.txt) lines of $(wc -l <power.jsonl) reports"

# The sensor's own counters.
sensor -q --meter model:idle=5,cpu=8 --interval 100ms --duration 3s --to "prometheus:127.0.0.1:$shown?names=master" &
formula=$!
events_has() { fetch "http://127.0.0.1:$shown/metrics" | grep -q '^hwpc_events_total{.*event="MACHINE_uj"'; }
wait_for 10 events_has
fetch "http://127.0.0.1:$shown/metrics" >events.txt
python3 "$helper" strict events.txt
wait "$formula"

# A real InfluxDB, where there is one.
if command -v influxd >/dev/null; then
	api=$(free_port) rpc=$(free_port)
	cat >influx.conf <<-END
		reporting-disabled = true
		bind-address = "127.0.0.1:$rpc"
		[meta]
		  dir = "$PWD/influx/meta"
		[data]
		  dir = "$PWD/influx/data"
		  wal-dir = "$PWD/influx/wal"
		[http]
		  bind-address = "127.0.0.1:$api"
	END
	influxd -config influx.conf >influxd.log 2>&1 &
	influxd=$!
	trap 'kill "$server" "$influxd" 2>/dev/null || true' EXIT
	wait_for 20 fetch "http://127.0.0.1:$api/ping"
	ask() { python3 - "http://127.0.0.1:$api/query" "$1" <<-'END'; }
		import sys, urllib.parse, urllib.request
		data = urllib.parse.urlencode({"db": "powerapi", "q": sys.argv[2]}).encode()
		print(urllib.request.urlopen(sys.argv[1], data).read().decode())
	END
	fails 1 "answered 404.*database not found" formula -q --from trace.jsonl --to "influx:http://127.0.0.1:$api?db=powerapi"
	ask "CREATE DATABASE powerapi" >/dev/null
	formula -q --from trace.jsonl --to "influx:http://127.0.0.1:$api?db=powerapi" --to again.jsonl
	ask "SELECT count(power) FROM power_consumption" >count.txt
	has count.txt "\"count\"\].*,$(wc -l <again.jsonl)\]"
	kill "$influxd"
	echo "InfluxDB has $(wc -l <again.jsonl) points of as many reports"
fi

said=$("$SRC/scripts/powerapi-venv" "$SRC/build/venv/powerapi") || skip "$(tail -n 1 <<<"$said") (the rest was tried)"
"$said/python" -c 'import influxdb_client, prometheus_client' || skip "PowerAPI's outputs are not installed (the rest was tried)"
# The page is of the time when it was fetched, the lines are of all.
export PYTHONDONTWRITEBYTECODE=1
"$said/python" "$helper" check power.then page.txt
"$said/python" "$helper" check power.jsonl - lines.txt
