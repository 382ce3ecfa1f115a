"""Which part of the inputs a job takes: the same on every machine, and every record once."""

from oea_cli.records.selection import is_in_shard

IDS = [f"{number:03}.wav" for number in range(12)]


def test_the_parts_are_those_they_always_were() -> None:
    """Jobs of one set run on many machines, perhaps with different releases of Python."""
    parts = [part for name in IDS for part in (1, 2, 3) if is_in_shard(name, (part, 3))]
    assert parts == [2, 1, 3, 3, 1, 1, 2, 2, 3, 1, 2, 2]


def test_every_record_is_in_one_part() -> None:
    for parts in (1, 2, 7):
        for name in IDS:
            assert sum(is_in_shard(name, (part, parts)) for part in range(1, parts + 1)) == 1
