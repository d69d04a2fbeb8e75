# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# Completion of sensor, formula, bench and fl: what --help lists is what there
# is, so that it is never out of date.

# The words that may follow an option, from "--engine=auto|perf|tally|clock".
_fedwatts_choices() {
	sed -nE "s/^.*$1=([a-z0-9]+(\|[a-z0-9]+)+)( .*)?\$/\1/p" <<<"$2" | head -n 1 | tr '|' '\n'
}

_fedwatts() {
	local program=${COMP_WORDS[0]} current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local help command='' words='' i
	COMPREPLY=()
	# Behind -- it is somebody else's.
	for ((i = 1; i < COMP_CWORD; i++)); do
		[ "${COMP_WORDS[i]}" = -- ] && return
	done
	help=$("$program" --help 2>/dev/null) || return
	local commands
	commands=$(sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' <<<"$help")
	for ((i = 1; i < COMP_CWORD; i++)); do
		grep -qx -- "${COMP_WORDS[i]}" <<<"$commands" && command=${COMP_WORDS[i]} && break
	done
	[ -z "$command" ] || help=$("$program" "$command" --help 2>/dev/null)
	# bash cuts --option=value at the '='.
	if [ "$current" = = ]; then current='' && previous=${COMP_WORDS[COMP_CWORD - 1]}; fi
	if [ "$previous" = = ]; then previous=${COMP_WORDS[COMP_CWORD - 2]}; fi
	case $previous in
	--*) words=$(_fedwatts_choices "$previous" "$help") ;;
	esac
	if [ -z "$words" ]; then
		case $current in
		-*) words=$(grep -oE '^ +(-[A-Za-z], )? *--[a-z][a-z-]*' <<<"$help" | grep -oE -- '--.*') ;;
		*)
			[ -n "$command" ] || words="$commands"$'\n'help
			# "Usage: sensor list [OPTION...] meters|events|targets"
			[ -z "$command" ] || words=$(head -n 1 <<<"$help" | grep -oE '[a-z]+(\|[a-z]+)+' | tr '|' '\n')
			;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
	# A value of an option, or a file.
	[ ${#COMPREPLY[@]} -gt 0 ] || mapfile -t COMPREPLY < <(compgen -f -- "$current")
}

complete -F _fedwatts sensor formula bench fl fedwatts-sensor fedwatts-formula fedwatts-bench fedwatts-fl
