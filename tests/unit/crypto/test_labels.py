from itertools import permutations

from exile_tui.crypto import labels


def test_labels_are_ascii_and_none_is_a_prefix_of_another() -> None:
    for (one_name, one), (other_name, other) in permutations(labels.ALL.items(), 2):
        assert not other.startswith(one), (one_name, other_name)
    for name, label in labels.ALL.items():
        assert label.isascii(), name
        assert label.startswith(b"exile/1/"), name


def test_the_protocol_has_these_labels() -> None:
    names = (
        "ck rk th nonce body hnonce T pqxdh ad bundle link/enc link/id link/req mailbox fpid facts"
    )
    assert sorted(labels.ALL.values()) == sorted(f"exile/1/{n}".encode() for n in names.split())
