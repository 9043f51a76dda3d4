#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A header with the text of files as C strings: NAME.html becomes NAME_html.

    embed.py HEADER FILE...
"""
import json
import pathlib
import sys

with open(sys.argv[1], 'w', encoding='ascii') as header:
    for path in map(pathlib.Path, sys.argv[2:]):
        lines = path.read_text(encoding='utf-8').splitlines(keepends=True)
        print(f'static const char {path.stem}_{path.suffix[1:]}[] =', file=header)
        print('\n'.join(f'    {json.dumps(line)}' for line in lines) + ';', file=header)
