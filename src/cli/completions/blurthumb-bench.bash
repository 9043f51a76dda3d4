# SPDX-License-Identifier: MIT
_blurthumb_bench() {
    local word=$2 before=$3 words=

    # bash makes three words of --option=value.
    if [[ $before == = ]]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    elif [[ $word == = ]]; then
        word=
    fi
    case $before in
    --blurthumb | --html) compopt -o default ;;
    --scratch) compopt -o dirnames ;;
    -j | --jobs | -r | --rounds | --seconds | -c | --compare | --noop) ;; # anything
    *)
        if [[ $word == -* ]]; then
            words="
                -j --jobs -r --rounds --seconds --cold -c --compare --blurthumb --scratch
                --noop --json --html -q --quiet --version -h --help"
        else
            compopt -o default
        fi
        ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -F _blurthumb_bench blurthumb-bench
