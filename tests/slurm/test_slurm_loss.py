# SPDX-License-Identifier: MIT
"""Nodes that are lost, or seem so, change nothing in the results."""
import signal


from batch import N_PICTURES


def test_lost_node(batch):
    """Its tasks are started anew on the other and do what is left."""
    job = batch.start()
    batch.wait_for_results(N_PICTURES // 2, 'node2')
    batch.cluster.crash('node2')
    batch.cluster.declare_down('node2')
    batch.check_all_done(job)
    assert any(task['Restarts'] == '1' for task in batch.cluster.tasks(job))


def test_both_copies_of_a_shard_at_once(batch):
    """A node that is cut off runs on while its task is started anew elsewhere. It is stopped in the middle
    until the other copy is at work, so that both do the same pictures."""
    job = batch.start('0-0')
    first = batch.wait_for_program('node1', 'node2')
    second = 'node2' if first == 'node1' else 'node1'
    batch.wait_for_results(N_PICTURES // 10, first)
    batch.cluster.signal(first, 'blurthumb', signal.SIGSTOP)
    batch.cluster.cut(first)
    batch.cluster.declare_down(first)
    batch.wait_for_program(second)
    batch.cluster.signal(first, 'blurthumb', signal.SIGCONT)
    batch.wait_until_gone(first)
    batch.cluster.mend(first)
    batch.check_all_done(job)
    assert batch.n_told('processed') > N_PICTURES
