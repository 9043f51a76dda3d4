# SPDX-License-Identifier: MIT
_blurthumb_tour() {
    local word=$2 words='process serial start join ten submit completed map pictures'

    if [[ $word == -* ]]; then
        words='--real --version -h --help'
    else
        compopt -o default
    fi
    COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -F _blurthumb_tour blurthumb-tour
