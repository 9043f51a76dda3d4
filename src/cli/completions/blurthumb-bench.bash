# SPDX-License-Identifier: MIT
_blurthumb_bench() {
    local word=$2 before=$3 words= head=

    # bash makes three words of --option=value.
    if [[ $before == = ]]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    elif [[ $word == = ]]; then
        word=
    fi
    case $before in
    --ways) words='serial process completed map' head=${word%"${word##*,}"} ;;
    --blurthumb | --html) compopt -o default ;;
    --scratch) compopt -o dirnames ;;
    -j | --jobs | -r | --rounds | --seconds | -c | --compare | --sleep | --noop) ;; # anything
    *)
        if [[ $word == -* ]]; then
            words="
                -j --jobs -r --rounds --seconds --cold -c --compare --blurthumb --scratch
                --markdown --json --csv --html -q --quiet --sleep --ways --noop --version
                -h --help"
        else
            compopt -o default
        fi
        ;;
    esac
    COMPREPLY=($(compgen -P "$head" -W "$words" -- "${word#"$head"}"))
}
complete -F _blurthumb_bench blurthumb-bench
