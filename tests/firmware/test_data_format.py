"""The number of the data's format: it stands for exactly these members and tables."""

import hashlib
import json

from firmware import data_format
from firmware.journal import schema
from rules import members, snapshot
from rules.codec import Table

PINNED = {1: "d6bbcc80a6db2519"}
"""Digest of what a format is, by its number. A member of the state that is gone or means another thing, or another
table of the journal, is a new number: the software before could not read it. A new member that is not written while
its function is not used is the same format: pin the new digest."""


def shape() -> str:
    tables = {name: sorted(table._kinds) for name, table in vars(members).items() if isinstance(table, Table)}
    told = {"state": tables, "snapshot": snapshot.VERSION, "journal": schema.TABLES, "format": schema.FORMAT}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def test_the_format_is_what_it_was() -> None:
    assert PINNED[data_format.WRITES] == shape(), (
        "the data has another form: does the software before still read it? If not, a new number in "
        "firmware/data_format.py; then pin this digest"
    )


def test_a_version_reads_what_it_writes() -> None:
    assert data_format.READS[-1] == data_format.WRITES
    assert sorted(data_format.READS) == list(data_format.READS)
