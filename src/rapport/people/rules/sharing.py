"""The guard of shared devices: somebody logging in on a device says that it is in their hands, and no more.

Two people who log in on one browser are two people. So a device belongs to a person only while all that
is known of it leads to that one person; otherwise it stands alone, and what happened on it is split between
them by the times of their log-ins. All of it follows from the edges: joining the two people, or taking a
log-in back, gives the device to whoever is left, and undoing that gives it back.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rapport.people.rules import graph
from rapport.people.rules.graph import Subjects

Flags = NDArray[np.bool_]


def settled(
    nodes: Subjects, is_device: Flags, a: Subjects, b: Subjects, is_staff: Flags, is_haunted: Flags
) -> Subjects:
    """The number of each node's component, where devices join nobody who is not one person without them.

    `nodes` is sorted and unique, `a` and `b` are ends of edges among them. What staff say of a device
    (`is_staff`, of edges) holds as it stands. A haunted device was in hands that were erased since: it stays
    alone, or what somebody else did on it would become the next one's.
    """
    left, right = np.searchsorted(nodes, a), np.searchsorted(nodes, b)
    direct = is_staff | ~(is_device[left] | is_device[right])
    base = graph.components(nodes, a[direct], b[direct])
    # A device that staff gave to somebody is theirs.
    loose = is_device & ~graph.is_in(base, np.unique(base[~is_device]))
    among = loose[left] & loose[right]
    cluster = graph.components(nodes, a[direct | among], b[direct | among])
    across = loose[left] ^ loose[right]
    device = np.where(loose[left], left, right)[across]
    to = np.where(loose[left], right, left)[across]
    pairs = np.unique(np.stack([cluster[device], base[to]], axis=1), axis=0)
    of, n_people = np.unique(pairs[:, 0], return_counts=True)
    one = np.setdiff1d(of[n_people == 1], cluster[loose & is_haunted])
    held = direct | among
    held[across] = graph.is_in(cluster[device], one)
    return graph.components(nodes, a[held], b[held])
