# SPDX-License-Identifier: MIT
"""Tables, aligned for people or as Markdown."""


def table(heads, rows, markdown):
    """`heads` and each row hold text; the first column is set to the left, the others to the right."""
    lines = [heads, *rows]
    widths = [max(len(line[n]) for line in lines) for n in range(len(heads))]
    padded = [[cell.ljust(width) if n == 0 else cell.rjust(width)
               for n, (cell, width) in enumerate(zip(line, widths))] for line in lines]
    if not markdown:
        return '\n'.join('  '.join(line).rstrip() for line in padded)
    rule = ['-' * widths[0], *('-' * (width - 1) + ':' for width in widths[1:])]
    return '\n'.join('| ' + ' | '.join(line) + ' |' for line in [padded[0], rule, *padded[1:]])
