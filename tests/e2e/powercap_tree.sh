#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# powercap_tree.sh CMD [ARG…]   runs CMD where /sys/class/powercap is a tree of
#                               plain files that the real libpowercap reads:
#                               intel-rapl:0 with core (:0) and dram (:1)
# powercap_tree.sh              (as a test) is that tree found, and is it dead
#                               as long as nobody advances it?
#
# A private mount namespace: a tmpfs over /sys/class, with every class that was
# there bound back.  With root by `unshare -m`, else in a user namespace; where
# neither is allowed: exit 77.  tests/bench/fake_powercap.c makes it count.
#
# RANGE_UJ: where the package's counter wraps (60 J); dram's at a sixth of it.
set -eu

: "${RANGE_UJ:=60000000}"

zone() { # FOLDER NAME RANGE
	mkdir "$1"
	echo "$2" >"$1/name"
	echo "$3" >"$1/max_energy_range_uj"
	echo 1 >"$1/enabled"
	printf '%20d\n' 0 >"$1/energy_uj"
	echo long_term >"$1/constraint_0_name"
	echo 200000000 >"$1/constraint_0_power_limit_uw"
	echo 999424 >"$1/constraint_0_time_window_us"
	echo 200000000 >"$1/constraint_0_max_power_uw"
}

tree() {
	local root=$1 zone
	mkdir "$root" "$root/intel-rapl"
	echo 1 >"$root/intel-rapl/enabled"
	zone=$root/intel-rapl/intel-rapl:0
	zone "$zone" package-0 "$RANGE_UJ"
	zone "$zone/intel-rapl:0:0" core "$RANGE_UJ"
	zone "$zone/intel-rapl:0:1" dram $((RANGE_UJ / 6))
	ln -s intel-rapl/intel-rapl:0 "$root/intel-rapl:0"
	ln -s intel-rapl/intel-rapl:0/intel-rapl:0:0 "$root/intel-rapl:0:0"
	ln -s intel-rapl/intel-rapl:0/intel-rapl:0:1 "$root/intel-rapl:0:1"
}

inside() {
	local root class
	mount --make-rprivate /
	root=$(mktemp -d)
	mount -t tmpfs tmpfs "$root"
	for class in /sys/class/*; do
		[ "${class##*/}" != powercap ] || continue
		mkdir "$root/${class##*/}"
		mount --bind "$class" "$root/${class##*/}"
	done
	tree "$root/powercap"
	mount --rbind "$root" /sys/class
	umount -l "$root"
	rmdir "$root"
}

if [ "${1:-}" = --inside ]; then
	shift
	inside
	exec "$@"
fi

how=""
for try in -m -Urm; do
	if unshare "$try" true 2>/dev/null; then
		how=$try
		break
	fi
done
[ -n "$how" ] || {
	echo "private mount namespaces are not permitted here"
	exit 77
}
if [ $# -gt 0 ]; then
	exec unshare "$how" "$0" --inside "$@"
fi

# ---- as a test --------------------------------------------------------------
# shellcheck source=tests/e2e/lib.sh
. "$SRC/tests/e2e/lib.sh"
export STATE_DIRECTORY=$PWD/state

fails 1 'powercap.*intel-rapl:0/package: present but does not advance under load: dead' \
	unshare "$how" "$0" --inside sensor --meter powercap --duration 100ms

cat >alive.sh <<'END'
set -eu
fake_powercap &
trap 'kill $!' EXIT
sleep 0.1
sensor --meter powercap --interval 100ms --duration 500ms --to trace.jsonl
[ ! -x "$BIN/unit" ] || "$BIN/unit" meter >unit.out || { cat unit.out; exit 1; }
END
rm -rf state
BIN=$BIN unshare "$how" "$0" --inside bash alive.sh
has trace.jsonl '"RAPL_ENERGY_PKG":[1-9]'
has trace.jsonl '"RAPL_ENERGY_DRAM":[1-9]'
has trace.jsonl '"source":1,.*"meter":"powercap"'
