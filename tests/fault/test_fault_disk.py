# SPDX-License-Identifier: MIT
"""What happens to files and disks: full, locked, gone, replaced, changed while they are read."""
import errno
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import tempfile

import pytest
from batch import ALWAYS, NO_TMPFILE, PROGRAM, SHIM, fault, files_below, wait_until
from disks import Exfat, call, keeps_attributes
from needs import lack

JOBS = ('--serial', '-j1', '-j2')
ON_DISK = '-o', 'disk/out'


def mount(kind, options, device, folder):
    folder.mkdir(parents=True, exist_ok=True)
    return call('mount', '-t', kind, '-o', options, device, folder)


@pytest.fixture
def disk(tmp_path):
    """disk(options, folder='disk'): mounts a file system in memory."""
    mounted = []

    def make(options, folder='disk'):
        if not mount('tmpfs', options, 'tmpfs', tmp_path / folder):
            lack('only root can mount a file system')
        mounted.append(tmp_path / folder)
        return mounted[-1]
    yield make
    for folder in reversed(mounted):
        subprocess.run(['umount', folder], check=True)


@pytest.fixture
def volume(tmp_path):
    """volume(kind, size, *make): mounts a file system in a file, made by that command."""
    mounted = []

    def create(kind, megabytes, *make, options='loop'):
        image, folder = tmp_path / 'volume', tmp_path / 'disk'
        with open(image, 'wb') as file:
            file.truncate(megabytes << 20)
        if not call(*make, image) or not mount(kind, options, image, folder):
            lack(f'{kind} cannot be mounted here')
        mounted.append(folder)
        return folder
    yield create
    for folder in mounted:
        subprocess.run(['umount', folder], check=True)


def remount(folder, options):
    assert call('mount', '-o', f'remount,{options}', folder)


@pytest.mark.parametrize('jobs', JOBS)
@pytest.mark.parametrize('size', ('size=4k', 'nr_inodes=1', 'nr_inodes=2'))
def test_disk_without_room_for_anything(disk, batch, size, jobs):
    folder = disk(size)
    (folder / 'filler').write_bytes(b'x' * 4096) if 'size' in size else None
    assert batch.check_stopped(batch.run(*ON_DISK, jobs), 'No space left on device', 'disk/out') == []
    remount(folder, 'size=1m,nr_inodes=1k')
    batch.check_next_run(output='disk/out')


@pytest.mark.parametrize('named', (False, True), ids=('nameless', 'named'))
@pytest.mark.parametrize('jobs', JOBS)
@pytest.mark.parametrize('size', ('size=40k', 'nr_inodes=10'))
def test_disk_that_fills(disk, batch, size, jobs, named):
    """While a result is written, or before one can be made: the batch ends at once, and another goes on."""
    folder = disk(size)
    names = batch.check_stopped(batch.run(*ON_DISK, jobs, faults=[NO_TMPFILE] * named), 'No space left on device',
                                'disk/out')
    assert 0 < len(names) < len(batch.results)
    remount(folder, 'size=1m,nr_inodes=1k')
    batch.check_next_run(output='disk/out')


@pytest.mark.parametrize('jobs', JOBS)
@pytest.mark.parametrize('why', (errno.ENOSPC, errno.EDQUOT, errno.EROFS), ids=errno.errorcode.get)
@pytest.mark.parametrize('point', ('link', 'tmpfile'))
def test_disk_that_is_full_for_names(batch, point, why, jobs):
    batch.settle()
    run = batch.run(jobs, faults=[fault(point, 'fail', why, skip=6, times=ALWAYS)])
    assert 0 < len(batch.check_stopped(run, os.strerror(why))) < len(batch.results)
    batch.check_next_run()


@pytest.mark.parametrize('jobs', JOBS)
def test_disk_that_is_full_for_names_of_results_that_are_there(batch, jobs):
    batch.check(batch.run())
    run = batch.run(jobs, '--force', faults=[fault('rename', 'fail', errno.ENOSPC, skip=6, times=ALWAYS)])
    batch.check_gone(run)
    batch.check_results(batch.results)
    assert run.code == 75 and batch.counts(run) == (6, 0, 0)


@pytest.fixture
def bucket(tmp_path):
    """bucket(mode): a folder, mounted by rclone with this cache at disk."""
    running = []

    def make(mode):
        for folder in ('bucket', 'disk', 'cache'):
            (tmp_path / folder).mkdir()
        running.append(subprocess.Popen(['rclone', 'mount', 'bucket', 'disk', '--config', '/dev/null', '--cache-dir',
                                         'cache', '--vfs-cache-mode', mode], cwd=tmp_path))
        wait_until(lambda: os.path.ismount(tmp_path / 'disk') or running[0].poll() is not None)
        if running[0].poll() is not None:
            lack('FUSE cannot be used here')
    yield make
    for process in running:
        subprocess.run(['umount', tmp_path / 'disk'], stderr=subprocess.DEVNULL)
        process.kill()
        process.wait()


@pytest.mark.needs('rclone')
@pytest.mark.parametrize('mode', ('off', 'writes'))
def test_bucket(bucket, batch, mode):
    """It answers for missing attributes with EIO, and without a cache cannot append."""
    bucket(mode)
    paths = [f'in/{name}' for name in sorted(batch.results)[:2]]
    runs = [batch.run(*ON_DISK, '-j1', paths=paths) for _ in range(1 + (mode == 'writes'))]
    if mode == 'writes':
        assert [batch.counts(run) for run in runs] == [(2, 0, 0), (0, 2, 0)]
    else:
        assert runs[0].code == 1 and '--vfs-cache-mode writes' in runs[0].err


LACKS = errno.ENOSYS, errno.EBADF, errno.EOPNOTSUPP, errno.EXDEV


@pytest.mark.parametrize('why', LACKS, ids=errno.errorcode.get)
@pytest.mark.parametrize('point', ('tmpfile', 'link', 'rename'))
def test_mount_that_lacks_a_call(batch, point, why):
    """Where there is no other way, what is said names the call's answer and what to do."""
    faults = [fault(point, 'fail', why, times=ALWAYS)]
    if point == 'rename':
        faults += [NO_TMPFILE, fault('link', 'fail', errno.ENOSYS, times=ALWAYS)]
    run = batch.run('-j1', faults=faults)
    if point == 'tmpfile' or (point == 'link' and why == errno.ENOSYS):
        return batch.check(run)  # named temporaries do, and a rename does
    batch.check_stopped(run, os.strerror(why))
    assert '-o' in run.err and '--vfs-cache-mode writes' in run.err
    batch.check_next_run()


@pytest.mark.parametrize('point', ('tmpfile', 'link', 'rename'))
def test_result_that_a_mount_cannot_name(batch, point):
    """It alone fails, and is told with the way out."""
    batch.settle()
    faults = [NO_TMPFILE] * (point == 'rename') + [fault(point, 'fail', errno.EBADF, skip=6, times=2)]
    if point == 'rename':
        faults.insert(0, fault('link', 'fail', errno.ENOSYS, times=ALWAYS))
    run = batch.run('-j1', faults=faults)
    assert run.code == 1 and 'Bad file descriptor' in run.err and '-o' in run.err
    batch.check_next_run()


@pytest.mark.parametrize('why', (errno.ENOSYS, errno.EBADF, errno.EOPNOTSUPP, errno.EACCES), ids=errno.errorcode.get)
def test_source_that_a_mount_cannot_open(batch, why):
    run = batch.run('-j1', faults=[fault('open', 'fail', why)], paths=(f'in/{batch.largest}',))
    assert run.code == 1 and batch.counts(run) == (0, 0, 1) and os.strerror(why) in run.err
    assert ('local disk' in run.err) == (why != errno.EACCES)


@pytest.mark.parametrize('point, skip, times', (('link', 6, 2), ('tmpfile', 6, 1), ('sync', 12, 1)))
def test_result_that_alone_cannot_be_kept(batch, point, skip, times):
    """A link is tried in two ways. The folder and its key are synced before."""
    batch.settle()
    run = batch.run('-j1', '--fsync', faults=[fault(point, 'fail', errno.EIO, skip=skip, times=times)])
    assert run.code == 1 and run.err.count('\n') == 1 and 'Input/output error' in run.err
    batch.check_gone(run)
    assert batch.counts(run) == (len(batch.results) - 1, 0, 1)
    batch.check_next_run()


@pytest.mark.needs('btrfs-progs')
def test_quota(volume, batch):
    folder = volume('btrfs', 128, 'mkfs.btrfs', '-q')
    assert call('btrfs', 'quota', 'enable', folder) and call('btrfs', 'qgroup', 'limit', '128k', folder)
    names = batch.check_stopped(batch.run(*ON_DISK), 'Disk quota exceeded', 'disk/out')
    assert len(names) < len(batch.results)
    assert call('btrfs', 'qgroup', 'limit', 'none', folder)
    batch.check_next_run(output='disk/out')


def test_disk_that_becomes_read_only(disk, batch):
    folder = disk('size=1m')
    batch.settle('disk/out')
    run = batch.start(*ON_DISK, '-j1', faults=[fault('tmpfile', 'hold', skip=6)])
    run.struck()
    remount(folder, 'ro')
    run.release()
    assert len(batch.check_stopped(run.finish(), 'Read-only file system', 'disk/out')) > 0
    remount(folder, 'rw')
    batch.check_next_run(output='disk/out')


def test_other_disk_within_the_output_folder(disk, batch):
    """A result is made on the disk that it is for."""
    disk('size=1m', 'processed/sub')
    batch.check(batch.run())
    batch.check(batch.run('--force'))


@pytest.mark.needs('ntfs-3g')
@pytest.mark.parametrize('jobs', JOBS)
def test_disk_where_names_differ_by_more_than_case(volume, batch, undisturbed, jobs):
    """Of two sources that the disk takes for one, neither is lost in silence."""
    volume('lowntfs-3g', 8, 'mkntfs', '-q', '-Q', '-F', options='loop,ignore_case')
    pictures, results = undisturbed(14)
    for name, twin in (('0001.jpg', 'a.jpg'), ('0002.jpg', 'A.jpg')):
        batch.put(twin, pictures[name])
        batch.results[twin] = results[name]
    run = batch.run(*ON_DISK, jobs)
    batch.check_gone(run)
    found = files_below(batch.folder / 'disk' / 'out')
    del found['.blurthumb']
    twins = [name for name in found if name.lower() == 'a.jpg']
    assert len(found) == len(batch.results) - 1 and len(twins) == 1
    assert found[twins[0]] in (batch.results['a.jpg'], batch.results['A.jpg'])
    assert run.code == 1 and 'in/a.jpg' in run.err.lower()
    assert batch.counts(run) == (len(found), 0, 1)


def remove(folder):
    shutil.rmtree(folder)


def replace_by_folder(folder):
    folder.rename(folder.with_name('before'))
    folder.mkdir()


def replace_by_file(folder):
    shutil.rmtree(folder)
    folder.write_bytes(b'not a folder')


def replace_by_link(folder):
    folder.rename(folder.with_name('before'))
    folder.symlink_to('elsewhere')
    folder.with_name('elsewhere').mkdir()


@pytest.mark.parametrize('named', (False, True), ids=('nameless', 'named'))
@pytest.mark.parametrize('deed', (remove, replace_by_folder, replace_by_file, replace_by_link))
@pytest.mark.parametrize('target', ('processed', 'processed/sub'))
def test_target_folder_in_the_middle(batch, target, deed, named):
    """Whatever comes of it is told, nothing else is touched, and another run puts it right."""
    middle = 'sub/0006.jpg'
    run = batch.start('-j1', faults=[fault('write', 'hold', size=batch.sizes[middle])] + [NO_TMPFILE] * named)
    run.struck()
    path = batch.folder / target
    deed(path)
    run.release()
    run.finish()
    batch.check_gone(run)
    assert run.code in (0, 1, 3)
    assert batch.counts(run)[2] == run.err.count('\n') - (run.code == 3)
    elsewhere = path.with_name('elsewhere')
    assert not elsewhere.exists() or not files_below(elsewhere)
    for wrong in (elsewhere, path.with_name('before')):
        if wrong.exists():
            assert not [name for name in files_below(wrong) if name.startswith('.blurthumb-')]
            shutil.rmtree(wrong)
    if not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
    batch.check_next_run()


@pytest.fixture
def stranger(make_batch):
    """A batch in a folder that everybody can walk, and how to start the program there as nobody."""
    try:
        nobody = pwd.getpwnam('nobody')
    except KeyError:
        lack('there is no user nobody')
    if os.geteuid() != 0:
        lack('only root can become nobody')
    with tempfile.TemporaryDirectory(dir='/tmp') as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        batch = make_batch(folder=folder)
        program, shim = (shutil.copy(file, folder) for file in (PROGRAM, SHIM))
        yield batch, {'program': program, 'shim': shim, 'user': nobody.pw_uid, 'group': nobody.pw_gid,
                      'extra_groups': []}
        for run in batch.runs:
            run.end()


def test_output_folder_that_may_not_be_made(stranger):
    batch, nobody = stranger
    assert batch.check_stopped(batch.run(**nobody), 'processed/?: Permission denied') == []


def test_output_folder_that_may_not_be_written(stranger):
    batch, nobody = stranger
    (batch.folder / 'processed').mkdir()
    assert batch.check_stopped(batch.run(**nobody), 'processed/.*: Permission denied') == []


@pytest.mark.parametrize('jobs', JOBS)
def test_folder_of_results_that_may_not_be_written(stranger, jobs):
    batch, nobody = stranger
    (batch.folder / 'processed' / 'sub').mkdir(parents=True)
    (batch.folder / 'processed').chmod(0o777)
    batch.check(batch.run(jobs, **nobody),
                {name: 'processed/sub/.*: Permission denied' for name in batch.results if name.startswith('sub/')})


@pytest.mark.parametrize('jobs', JOBS)
def test_source_that_may_not_be_read(stranger, jobs):
    batch, nobody = stranger
    (batch.folder / 'processed').mkdir(mode=0o777)
    (batch.folder / 'processed').chmod(0o777)
    (batch.folder / 'in' / '0001.jpg').chmod(0)
    batch.check(batch.run(jobs, **nobody), {'0001.jpg': 'cannot be opened: Permission denied'})


def test_folder_of_sources_that_may_not_be_read(stranger):
    batch, nobody = stranger
    (batch.folder / 'processed').mkdir()
    (batch.folder / 'processed').chmod(0o777)
    (batch.folder / 'in' / 'sub').chmod(0)
    run = batch.run(**nobody)
    batch.check_gone(run)
    assert run.code == 1 and run.err == 'blurthumb: in/sub: Permission denied\n'
    batch.check_results([name for name in batch.results if not name.startswith('sub/')])


def wait_settled(run):
    """The supervisor has nothing to do but to wait for its workers."""
    def sleeps():
        with open(f'/proc/{run.process.pid}/stat', encoding='ascii') as stat:
            return stat.read().rpartition(')')[2].split()[0] == 'S'
    wait_until(lambda: all(sleeps() for _ in range(100)))


def link_to_another(path):
    path.unlink()
    path.symlink_to('0003.jpg')


def make_fifo(path):
    path.unlink()
    os.mkfifo(path)


def make_folder(path):
    path.unlink()
    path.mkdir()


def make_socket(path):
    path.unlink()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(path))


NOT_A_FILE = 'regular file|cannot be opened'
SOURCE_DEEDS = {
    'vanishes': (os.unlink, 'No such file'),
    'becomes-a-link': (link_to_another, 'symbolic links'),
    'becomes-a-fifo': (make_fifo, NOT_A_FILE),
    'becomes-a-folder': (make_folder, NOT_A_FILE),
    'becomes-a-socket': (make_socket, NOT_A_FILE),
    'is-emptied': (lambda path: os.truncate(path, 0), 'empty'),
    'is-cut': (lambda path: os.truncate(path, 1000), 'Premature end'),
}


@pytest.mark.parametrize('when', ('while-it-waits', 'while-it-is-read'))
@pytest.mark.parametrize('deed, reason', SOURCE_DEEDS.values(), ids=SOURCE_DEEDS.keys())
def test_source_that(batch, deed, reason, when):
    run = batch.start('-j1', faults=[fault('read', 'hold', size=batch.sizes[batch.largest])])
    run.struck()
    wait_settled(run)
    name = batch.largest if when == 'while-it-is-read' else '0001.jpg'
    deed(batch.folder / 'in' / name)
    run.release()
    batch.check(run.finish(), {name: reason})


def rewrite(path, content):
    path.write_bytes(content)


def rename_over(path, content):
    path.with_name('.new').write_bytes(content)
    path.with_name('.new').rename(path)


@pytest.mark.parametrize('point', ('task', 'read', 'write', 'reply'))
@pytest.mark.parametrize('deed', (rewrite, rename_over))
def test_source_that_becomes_another_picture(batch, undisturbed, deed, point):
    """The result is that of the new one."""
    pictures, results = undisturbed(14)
    run = batch.start('-j2', faults=[fault(point, 'hold', size=batch.sizes[batch.largest])])
    run.struck()
    deed(batch.folder / 'in' / batch.largest, pictures['0013.jpg'])
    batch.results[batch.largest] = results['0013.jpg']
    run.release()
    batch.check(run.finish())


def test_source_that_grows(batch):
    run = batch.start('-j2', faults=[fault('read', 'hold', size=batch.sizes[batch.largest])])
    run.struck()
    with open(batch.folder / 'in' / batch.largest, 'ab') as file:
        file.write(bytes(100))
    run.release()
    batch.check(run.finish())


def test_source_that_changes_all_the_time(batch):
    size = batch.sizes[batch.largest]
    run = batch.start('-j2', faults=[fault('read', 'hold', size=size), fault('write', 'hold', size=size, skip=1)])
    for i in range(2):
        run.struck(i)
        os.utime(batch.folder / 'in' / batch.largest)
        run.release(i)
    batch.check(run.finish(), {batch.largest: 'changed twice'})


KINDS = 'attributes', pytest.param('exfat', marks=pytest.mark.needs('exfat-fuse'))


@pytest.fixture(params=KINDS)
def kind(request, tmp_path):
    """A folder on a disk that keeps extended attributes, and on one that does not."""
    if request.param == 'attributes':
        if not keeps_attributes(tmp_path):
            lack('the file system of temporary files keeps no attributes')
        yield tmp_path
        return
    disk = Exfat(tmp_path / 'image', tmp_path / 'exfat')
    yield disk.folder
    disk.unmount()


@pytest.mark.parametrize('deed', (rewrite, rename_over))
def test_source_that_becomes_another_picture_in_the_last_moment(make_batch, undisturbed, kind, deed):
    """When the result is there but for its name: whatever this run does, nobody calls it fresh afterwards."""
    batch = make_batch(folder=kind)
    batch.run('-o', 'settled', paths=(f'in/{batch.largest}',))
    pictures, results = undisturbed(14)
    run = batch.start('-j1', '-o', 'settled', '--force', paths=(f'in/{batch.largest}',),
                      faults=[fault('rename', 'hold')])
    run.struck()
    deed(kind / 'in' / batch.largest, pictures['0013.jpg'])
    run.release()
    run.finish()
    assert run.code in (0, 1)
    made = (kind / 'settled' / batch.largest).read_bytes()
    assert made in (results[batch.largest], results['0013.jpg'])
    verified = batch.run('-o', 'settled', '--verify', paths=(f'in/{batch.largest}',))
    assert verified.code == (made != results['0013.jpg']), verified.err
    done = batch.run('-o', 'settled', paths=(f'in/{batch.largest}',))
    assert done.code == 0, done.err
    assert (kind / 'settled' / batch.largest).read_bytes() == results['0013.jpg']
