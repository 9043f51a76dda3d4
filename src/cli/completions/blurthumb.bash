# SPDX-License-Identifier: MIT
_blurthumb() {
    local word=$2 before=$3 words= head=

    # bash makes three words of --option=value.
    if [[ $before == = ]]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    elif [[ $word == = ]]; then
        word=
    fi
    case $before in
    --shard) words=auto ;;
    --format) words='jpeg png webp avif tiff keep' ;;
    --strip) words='all gps none' ;;
    --isolate) words='batch picture' ;;
    --sandbox) words='auto require off' ;;
    --allow) words='jxl jp2 ppm svg bmp' head=${word%"${word##*,}"} ;;
    --progress) words='auto always never' ;;
    --files-from) compopt -o default ;;
    -o | --output) compopt -o dirnames ;;
    --include | --exclude | --max-depth | --newer-than | --min-size | --max-size | \
    --name | --suffix | --sigma | -s | --size | -Q | --quality | -j | --jobs | --grace | \
    --timeout | --memory | --max-pixels | --max-file-size) ;; # anything
    *)
        if [[ $word == -* ]]; then
            words="
                --files-from -0 --null --include --exclude --hidden --follow --max-depth
                -x --one-file-system --newer-than --min-size --max-size --shard -o
                --output -f --force -n --dry-run --verify --prune --fsync --gallery
                --name --suffix --flat --format --sigma -s --size -Q --quality --strip
                --exact --linear -j --jobs --serial --isolate --grace --timeout --memory
                --max-pixels --max-file-size --sandbox --allow -v --verbose -q --quiet
                --progress --json --merge-reports --version -h --help"
        else
            compopt -o default
        fi
        ;;
    esac
    COMPREPLY=($(compgen -P "$head" -W "$words" -- "${word#"$head"}"))
}
complete -F _blurthumb blurthumb
