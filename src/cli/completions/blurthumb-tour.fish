# SPDX-License-Identifier: MIT
complete -c blurthumb-tour -a 'process serial start join ten submit completed map pictures'
complete -c blurthumb-tour -l real -d 'sleep as long as that; else a tenth of it'
complete -c blurthumb-tour -l version -d 'print the version and exit'
complete -c blurthumb-tour -s h -l help -d 'print this help and exit'
