"""The tree of RFC 6962: the known answers of its reference implementation, and proofs for every small tree."""

from __future__ import annotations

import pytest

from gateway.archive.merkle import (
    EMPTY_ROOT,
    consistency_proof,
    inclusion_proof,
    is_consistent,
    is_included,
    leaf_hash,
    levels_of,
    path_in,
    root_of,
)

# The inputs and roots of certificate-transparency's merkle_tree_test.
INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [leaf_hash(bytes.fromhex(value)) for value in INPUTS]


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_reference(size: int) -> None:
    assert root_of(LEAVES[:size]).hex() == ROOTS[size - 1]


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert root_of([]) == EMPTY_ROOT


@pytest.mark.parametrize("size", range(1, 20))
def test_every_leaf_is_proved_and_no_other(size: int) -> None:
    leaves = [leaf_hash(bytes([number])) for number in range(size)]
    root = root_of(leaves)
    for index in range(size):
        path = inclusion_proof(leaves, index)
        assert path_in(levels_of(leaves), index) == path
        assert is_included(leaves[index], index, size, path, root)
        assert not is_included(leaf_hash(b"other"), index, size, path, root)
        assert not is_included(leaves[index], (index + 1) % size if size > 1 else 1, size, path, root)
        assert not is_included(leaves[index], index, size, (*path, root), root)


@pytest.mark.parametrize("size", range(1, 20))
def test_every_beginning_is_proved_and_no_other(size: int) -> None:
    leaves = [leaf_hash(bytes([number])) for number in range(size)]
    root = root_of(leaves)
    for begin in range(1, size + 1):
        path = consistency_proof(leaves, begin)
        assert is_consistent(begin, root_of(leaves[:begin]), size, root, path)
        assert not is_consistent(begin, leaf_hash(b"other"), size, root, path)
        if begin < size:
            assert not is_consistent(begin, root_of(leaves[:begin]), size, leaf_hash(b"other"), path)


@pytest.mark.parametrize("index", [-1, 8])
def test_there_is_no_proof_of_what_is_not_there(index: int) -> None:
    with pytest.raises(IndexError):
        inclusion_proof(LEAVES, index)
    with pytest.raises(IndexError):
        consistency_proof(LEAVES, 9 if index > 0 else 0)
