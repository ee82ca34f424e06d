# bash completion of rexwrap: its verbs first, then commands and files, as
# `rexwrap COMPILER …` is completed like the compiler itself.

_rexwrap() {
	local cur=${COMP_WORDS[COMP_CWORD]} verb=${COMP_WORDS[1]} words=
	if ((COMP_CWORD == 1)); then
		words="exec stats explain log config doctor links server cache scan action session toolchain completion version help"
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur"; compgen -c -- "$cur")
		return
	fi
	case $verb in
	stats) words="--json --zero" ;;
	explain) words="--last --build --json" ;;
	log) words="-n --follow --json" ;;
	config) words="trust --json" ;;
	doctor) words="--json --msvc" ;;
	links | action | version) words="--json" ;;
	server) words="start stop status run --json" ;;
	cache) words="size clear verify evict flush --json --older-than --to" ;;
	session) words="list seal verify --json" ;;
	toolchain) words="list show pack verify --json --commands --language --root -o" ;;
	completion) words="bash zsh fish" ;;
	help) words="exec stats explain log config doctor links server cache scan action session toolchain completion version" ;;
	exec | scan)
		local i=2
		[[ ${COMP_WORDS[2]} == -- ]] && i=3
		if ((COMP_CWORD <= i)); then
			mapfile -t COMPREPLY < <(compgen -W "--" -- "$cur"; compgen -c -- "$cur")
			return
		fi
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur"; compgen -f -- "$cur")
}

complete -o filenames -F _rexwrap rexwrap
