# SPDX-License-Identifier: MIT
"""A page in a headless Chromium: what it shows, what it complains of, and whom it asks for anything."""
import re
import subprocess


TIMEOUT_S = 120



class Page:
    def __init__(self, path, folder, width, height, fragment=''):
        """Opens the page of a file; folder: where the browser may leave things."""
        log, picture = folder / 'net.json', folder / f'page-{width}.png'
        done = subprocess.run(
            ['chromium', '--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking',
             '--disable-component-update', '--no-first-run', '--hide-scrollbars', '--enable-logging=stderr',
             f'--user-data-dir={folder}/profile', f'--log-net-log={log}', f'--window-size={width},{height}',
             '--virtual-time-budget=5000', f'--screenshot={picture}', '--dump-dom', f'{path.as_uri()}{fragment}'],
            capture_output=True, timeout=TIMEOUT_S, check=True)
        self.dom = done.stdout.decode('utf-8')
        self.picture = picture
        self.console = re.findall(r'CONSOLE.*', done.stderr.decode(errors='replace'))
        # Those that the page makes: the browser's own have no origin.
        self.requests = [line for line in log.read_text(errors='replace').splitlines()
                         if '"initiator":"' in line and '"initiator":"not an origin"' not in line
                         and re.search(r'"url":"(https?|wss?|ftp):', line)]
